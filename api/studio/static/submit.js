// Handing in: one picture as a job, many of them or a sweep as a batch.

import { dreamPicture, storePicture, submitBatch, submitJob } from "./api.js";
import { maskPicture } from "./mask.js";

const AT_ONCE = 3;

/** Hand an order in; return where to watch it. @param {any} order @param {(text: string) => void} tell @returns {Promise<string>} */
export async function submit(order, tell) {
  if (order.pictures.length > 1 || order.sweep) return `/batches/${(await asBatch(order, tell)).id}`;
  return `/jobs/${(await asJob(order)).id}`;
}

async function asJob({ pictures: [picture], params, guide, hasMask, fields }) {
  const mask = hasMask ? await maskPicture(picture.width, picture.height) : null;
  const name = fields.name ?? picture.name;
  if (!picture.sha256) return dreamPicture({ image: picture.file, name, guide, mask, fields: { ...fields, name, params } });
  const [guides, masks] = await Promise.all([guide, mask].map(stored));
  return submitJob({ ...fields, params, name, image: { sha256: picture.sha256 }, guide: guides, mask: masks });
}

/** @param {Blob | null | undefined} picture */
const stored = async (picture) => (picture ? [{ sha256: (await storePicture(picture)).sha256 }] : []);

async function asBatch({ pictures, params, guide, hasMask, sweep, fields }, tell) {
  const mask = hasMask ? await maskPicture(pictures[0].width, pictures[0].height) : null;
  const [guides, masks] = await Promise.all([guide, mask].map(stored));
  let done = 0;
  const inputs = await inTurns(pictures, async (picture) => {
    picture.sha256 ??= (await storePicture(picture.file)).sha256;
    done += 1;
    tell(`Handing in ${done} of ${pictures.length}…`);
    return { sha256: picture.sha256, name: picture.name.slice(-200) };
  });
  const name = fields.name ?? (pictures.length === 1 ? pictures[0].name : `${pictures.length} pictures`);
  return submitBatch({ ...fields, name, params, inputs, guide: guides, mask: masks, ...(sweep && { sweep }) });
}

/** Do something to each, a few at once; the answers are in the order of what was given. */
async function inTurns(things, act) {
  const answers = new Array(things.length);
  const waiting = things.entries();
  const worker = async () => {
    for (const [place, thing] of waiting) answers[place] = await act(thing);
  };
  await Promise.all(Array.from({ length: AT_ONCE }, worker));
  return answers;
}
