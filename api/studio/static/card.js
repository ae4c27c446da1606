// One job on the page: its picture as it grows, its progress, what can be done with it.

import { cancelJob, followJob, getJob, isResting, linkTo, retryJob } from "./api.js";

const WORDS = {
  queued: "Waiting",
  running: "Dreaming",
  succeeded: "Done",
  failed: "Failed",
  canceled: "Canceled",
  expired: "Expired",
};

const FOUR_DIGITS = new Intl.NumberFormat("en", { maximumSignificantDigits: 4 });

export class JobCard {
  constructor(job) {
    this.element = document.getElementById("job-template").content.firstElementChild.cloneNode(true);
    this.part = (name) => this.element.querySelector(`.${name}`);
    this.bar = this.element.querySelector("progress");
    this.problem = this.element.querySelector(".problem");
    this.shownPreview = 0;
    this.id = job.id;
    this.part("download").addEventListener("click", (event) => this.download(event));
    this.part("cancel").addEventListener("click", () => this.act(cancelJob));
    this.part("retry").addEventListener("click", () => this.act(retryJob));
    this.part("slide").addEventListener("input", (event) => this.slideTo(event.target.value));
    this.show(job);
  }

  show(job) {
    this.job = job;
    const name = job.name || "Untitled";
    this.part("name").textContent = name;
    this.part("name").title = name;
    this.bar.setAttribute("aria-label", `Progress of ${name}`);
    this.part("slide").setAttribute("aria-label", `${name}: before and after, share of the original shown`);
    this.part("cancel").setAttribute("aria-label", `Cancel ${name}`);
    this.part("retry").setAttribute("aria-label", `Try ${name} again`);
    if (this.part("after").hidden) this.showOriginal();
    this.update({ ...job, previews: "preview" in job.links ? Math.max(1, job.progress.octave - 1) : 0 });
    if (job.state === "succeeded") this.showResult();
    else if (!isResting(job.state)) this.follow();
  }

  follow() {
    this.stop?.();
    this.stop = followJob(this.id, { after: this.job.seq, onEvent: (event) => this.take(event) });
  }

  async take(event) {
    this.update(event);
    if (!isResting(event.state)) return;
    this.show(await getJob(this.id).catch(() => this.job));
  }

  update({ state, progress, error, previews }) {
    this.element.dataset.state = state;
    this.part("badge").textContent = WORDS[state];
    this.bar.value = state === "succeeded" ? 1 : progress.fraction;
    this.bar.hidden = isResting(state);
    this.part("facts").textContent = this.facts(state, progress);
    this.problem.textContent = error?.message ?? "";
    this.problem.hidden = !error;
    this.part("cancel").hidden = isResting(state);
    this.part("retry").hidden = !["failed", "canceled", "expired"].includes(state);
    if (previews > this.shownPreview && state !== "succeeded") this.showPreview(previews);
  }

  facts(state, progress) {
    const { job } = this;
    const size = `${job.input.width} × ${job.input.height} px`;
    if (state === "running" && progress.octave) {
      const left = progress.eta_s == null ? "" : `${duration(progress.eta_s)} left`;
      const loss = progress.loss == null ? "" : `loss ${FOUR_DIGITS.format(progress.loss)}`;
      const where = `octave ${progress.octave} of ${progress.octaves}, step ${progress.step} of ${progress.steps}`;
      return [where, loss, left].filter(Boolean).join(" · ");
    }
    const taken = state === "succeeded" && job.metrics.render_s != null ? `in ${duration(job.metrics.render_s)}` : "";
    return [size, Object.keys(job.params.layers ?? {}).join(", "), taken, ...job.notices].filter(Boolean).join(" · ");
  }

  showOriginal() {
    const after = this.part("after");
    after.alt = `${this.job.name ?? "Picture"}, original`;
    after.addEventListener("error", () => this.fallBack(), { once: true });
    this.load("input", (url) => {
      if (after.classList.contains("dreamt")) return;
      Object.assign(after, { src: url, hidden: false });
    });
  }

  // Tell where one of the job's pictures is; where it isn't there, nothing is shown.
  load(name, show) {
    linkTo(`/v1/jobs/${this.id}/${name}`).then(show, () => this.part("after").hidden && this.fallBack());
  }

  fallBack() {
    this.part("after").hidden = true;
    this.part("placeholder").textContent = "No picture to show";
  }

  showPreview(octave) {
    this.shownPreview = octave;
    const after = this.part("after");
    const next = new Image();
    next.addEventListener("load", () => {
      if (this.job.state === "succeeded" && !this.part("download").hidden) return;
      after.src = next.src;
      after.alt = `${this.job.name ?? "Picture"} after octave ${octave}`;
      after.hidden = false;
      after.classList.add("dreamt");
      this.part("placeholder").textContent = "";
    });
    this.load(`octaves/${octave}`, (url) => Object.assign(next, { src: url }));
  }

  showResult() {
    const { name } = this.job;
    const after = this.part("after");
    const before = this.part("before");
    const download = this.part("download");
    after.classList.add("dreamt");
    this.load("result", (url) => {
      Object.assign(after, { src: url, alt: `${name ?? "Picture"}, dreamt`, hidden: false });
      Object.assign(download, { href: url, hidden: false });
    });
    download.setAttribute("aria-label", `Download ${name ?? "the picture"}, dreamt`);
    before.alt = `${name ?? "Picture"}, original`;
    before.addEventListener("load", () => this.showSlider(), { once: true });
    this.load("input", (url) => Object.assign(before, { src: url }));
    this.part("placeholder").textContent = "";
  }

  // The link on the page may be too old by now, so a click asks for a fresh one.
  download(event) {
    event.preventDefault();
    this.load("result", (url) => location.assign(url));
  }

  showSlider() {
    for (const name of ["before", "divider", "slide"]) this.part(name).hidden = false;
    this.slideTo(this.part("slide").value);
  }

  slideTo(share) {
    this.part("stage").style.setProperty("--split", `${share}%`);
  }

  async act(action) {
    try {
      const job = await action(this.id);
      this.shownPreview = 0;
      this.show(job);
    } catch (problem) {
      this.problem.textContent = problem.message;
      this.problem.hidden = false;
    }
  }
}

function duration(seconds) {
  if (seconds < 10) return `${seconds.toFixed(1)} s`;
  if (seconds < 60) return `${Math.round(seconds)} s`;
  return `${Math.floor(seconds / 60)} min ${Math.round(seconds % 60)} s`;
}
