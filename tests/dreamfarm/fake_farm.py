"""A small farm over real HTTP, whose behaviour a test writes: jobs as data, answers and streams as scripts."""

from __future__ import annotations

import hashlib
import json
from collections import defaultdict, deque
from datetime import UTC, datetime
from itertools import count
from threading import Thread

from flask import Flask, Response, redirect, request
from werkzeug.serving import make_server

from farm.batch_schema import BatchView
from farm.schema import JobView

PICTURE = b"\x89PNG this stands for a finished picture" * 1000
NOW = datetime(2026, 1, 2, 3, 4, 5, tzinfo=UTC).isoformat()


def job(job_id="01JOB", state="queued", *, seq=1, **fields):
    """Return a job as the api shows it."""
    output = {"format": "png", "sha256": hashlib.sha256(PICTURE).hexdigest(), "bytes": len(PICTURE)}
    done = {"output": {**output, "width": 4, "height": 3}} if state == "succeeded" else {}
    view = {
        "id": job_id,
        "state": state,
        "seq": seq,
        "progress": progress(),
        "params": {"model": "squeezenet", "layers": {"fire8": 1.0}},
        "format": "png",
        "input": {"sha256": "0" * 64, "width": 4, "height": 3},
        "created_at": NOW,
        "metrics": {},
        "links": {},
        **done,
        **fields,
    }
    return JobView.model_validate(view).model_dump(mode="json")


def batch(batch_id, state="finished", *, name="seaside", sweep=None, **counts):
    """Return a batch as the api shows it."""
    total = sum(counts.values())
    ended = total - counts.get("queued", 0) - counts.get("running", 0)
    view = {
        "id": batch_id,
        "name": name,
        "state": state,
        "total": total,
        "made": total,
        "counts": counts,
        "failures": {"bad_picture": counts["failed"]} if counts.get("failed") else {},
        "fraction": ended / total,
        "params": {},
        "sweep": sweep or {},
        "created_at": NOW,
    }
    return BatchView.model_validate(view).model_dump(mode="json")


def progress(fraction=0.0, octave=0, step=0, **fields):
    return {"fraction": fraction, "octave": octave, "octaves": 4, "step": step, "steps": 10, **fields}


def event(seq, state="running", **fields):
    """Return a server-sent event as the api sends it."""
    data = {"state": state, "seq": seq, "progress": progress(), **fields}
    return f"id: {seq}-0\nevent: update\ndata: {json.dumps(data)}\n\n"


def problem(status, code, detail, **headers):
    """Return an error answer."""
    body = json.dumps({"title": code, "status": status, "code": code, "detail": detail})
    return Response(body, status, content_type="application/problem+json", headers=headers)


class FakeFarm:
    """Jobs to show, and what was asked for.

    `answers[method, path]` holds answers to give once each before the usual one; `streams[job id]` holds, for each
    time its events are asked for, the list of pieces to send.
    """

    def __init__(self):
        self.jobs = {}
        self.batches = {}
        self.batch_jobs = {}
        self.pictures = {}
        self.workers = []
        self.answers = defaultdict(deque)
        self.streams = defaultdict(deque)
        self.requests = []
        self.submitted = []
        self.picture = PICTURE
        self.refused = None
        self._uploads = count()
        self._puts = {}
        self._keyed = {}
        self.app = Flask("fake")
        self.app.before_request(self._scripted)
        self._add_routes()

    def __enter__(self):
        self._server = make_server("127.0.0.1", 0, self.app, threaded=True)
        self.url = f"http://127.0.0.1:{self._server.port}"
        self._thread = Thread(target=self._server.serve_forever, args=(0.01,))
        self._thread.start()
        return self

    def __exit__(self, *_):
        self._server.shutdown()
        self._thread.join()
        self._server.server_close()

    def add(self, *args, **fields):
        made = job(*args, **fields)
        self.jobs[made["id"]] = made
        return made

    def asked(self, method, path):
        """Return the headers of each such request."""
        return [headers for way, where, headers in self.requests if (way, where) == (method, path)]

    def _scripted(self):
        self.requests.append((request.method, request.path, dict(request.headers)))
        waiting = self.answers[request.method, request.path]
        return waiting.popleft() if waiting else None

    def _add_routes(self):
        route = self.app.route
        route("/healthz", endpoint="health")(lambda: {"status": "ok"})
        route("/v1/workers", endpoint="workers")(lambda: {"workers": self.workers})
        route("/v1/jobs", methods=["GET"])(self._list)
        route("/v1/jobs", methods=["POST"])(self._submit)
        route("/v1/jobs/<job_id>", methods=["GET"])(self._get)
        route("/v1/jobs/<job_id>", methods=["DELETE"])(self._delete)
        route("/v1/jobs/<job_id>/events")(self._events)
        route("/v1/jobs/<job_id>/result")(self._result)
        route("/v1/jobs/<job_id>/<any(cancel, retry):action>", methods=["POST"])(self._act)
        route("/store/<job_id>")(self._stored)
        route("/v1/batches", methods=["POST"])(self._submit_batch)
        route("/v1/batches/<batch_id>")(self._batch)
        route("/v1/batches/<batch_id>/cancel", methods=["POST"])(self._cancel_batch)
        route("/v1/batches/<batch_id>/results.jsonl")(self._batch_results)
        route("/v1/pictures/<sha256>")(self._find_picture)
        route("/v1/uploads", methods=["POST"])(self._upload)
        route("/put/<upload>", methods=["PUT"])(self._put)
        route("/v1/uploads/<upload>/claim", methods=["POST"])(self._claim)

    def _stored(self, job_id):
        assert job_id in self.jobs
        return Response(self.picture, content_type="image/png")

    def _get(self, job_id):
        return self.jobs.get(job_id) or problem(404, "not_found", f"There is no job {job_id!r}.")

    def _list(self):
        found = [one for one in self.jobs.values() if request.args.get("state", one["state"]) == one["state"]]
        start, limit = int(request.args.get("cursor", 0)), int(request.args["limit"])
        rest = len(found) > start + limit
        return {"jobs": found[start : start + limit], "next_cursor": str(start + limit) if rest else None}

    def _submit(self):
        if request.is_json:
            self.submitted.append(request.json)
            return self.add(f"01NEW{len(self.submitted)}"), 202
        files = {"image": request.files["image"].read()}
        for field in ("guide", "mask"):
            files[f"{field}s"] = [file.read() for file in request.files.getlist(field)]
        if files["image"] == self.refused:
            return problem(400, "bad_picture", "The file is no picture.")
        self.submitted.append({**request.form, **files})
        made = self.add(f"01NEW{len(self.submitted)}", name=request.form.get("name"))
        return made, 202, {"Location": f"/v1/jobs/{made['id']}"}

    def _delete(self, job_id):
        return ("", 204) if self.jobs.pop(job_id, None) else self._get(job_id)

    def _act(self, job_id, action):
        found = self.jobs.get(job_id)
        if found is None:
            return self._get(job_id)
        if action == "cancel" and found["state"] == "succeeded":
            return problem(409, "job_finished", "The job has already succeeded.")
        found["state"] = {"cancel": "canceled", "retry": "queued"}[action]
        return found, 202

    def _events(self, job_id):
        waiting = self.streams[job_id]
        if not waiting:
            return problem(429, "too_many_streams", "Poll instead.")
        return Response(iter(waiting.popleft()), content_type="text/event-stream")

    def _result(self, job_id):
        found = self.jobs[job_id]
        if found["state"] != "succeeded":
            return problem(409, "no_result", f"The job has no result: it is {found['state']}.")
        return redirect(f"/store/{job_id}")

    def _submit_batch(self):
        body, key = request.json, request.headers["Idempotency-Key"]
        if body.get("dry_run"):
            return {"jobs": 1, "unusable_inputs": 1, "problems": ["inputs/0: There is no such picture."]}
        if key in self._keyed:
            return self._keyed[key], 202, {"Idempotency-Replayed": "true"}
        self.submitted.append(body)
        made = batch(f"01BATCH{len(self.submitted)}", name=body.get("name"), succeeded=len(body["inputs"]))
        self.batches[made["id"]] = self._keyed[key] = made
        return made, 202

    def _batch(self, batch_id):
        return self.batches.get(batch_id) or problem(404, "not_found", f"There is no batch {batch_id!r}.")

    def _cancel_batch(self, batch_id):
        return self.batches[batch_id], 202

    def _batch_results(self, batch_id):
        lines = [json.dumps(self.jobs[job_id]) + "\n" for job_id in self.batch_jobs[batch_id]]
        return Response(lines, content_type="application/jsonl")

    def _find_picture(self, sha256):
        return self.pictures.get(sha256) or problem(404, "not_found", "There is no such picture.")

    def _upload(self):
        upload = f"U{next(self._uploads)}"
        return {"upload": upload, "url": f"{self.url}/put/{upload}", "expires_at": NOW}, 201

    def _put(self, upload):
        self._puts[upload] = request.get_data()
        return ""

    def _claim(self, upload):
        data = self._puts[upload]
        if data == self.refused:
            return problem(400, "bad_picture", "The file is no picture.")
        sha256 = hashlib.sha256(data).hexdigest()
        return self.pictures.setdefault(sha256, {"sha256": sha256, "width": 4, "height": 3}), 201
