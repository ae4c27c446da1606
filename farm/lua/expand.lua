-- Creates the next jobs of a batch and moves its cursor, both or neither. Behind lanes.lua.
--
-- KEYS  1 batch hash · 2 counts of the batch by state · 3 the batch's jobs · 4 jobs to tidy up after
--       5 pixel-steps of the owner, today
-- ARGV  1 the cursor that this starts from · 2 jobs as a JSON list of {id, state, owner, work_s, pack, bytes, needs, priority, pixel_steps,
--       spec, progress, error, code, tags} · 3 most pixel-steps of the owner a day, or nothing · 4 the error of jobs beyond
-- Answer: how many jobs were queued; none where somebody else was faster, or the batch is canceled or gone.
local batch, counts, own, untidy = KEYS[1], KEYS[2], KEYS[3], KEYS[4]
local found = redis.call('HMGET', batch, 'cursor', 'canceled', 'id')
if not found[1] or found[2] or tonumber(found[1]) ~= tonumber(ARGV[1]) then return 0 end
local time = redis.call('TIME')
local now_ms = time[1] * 1000 + math.floor(time[2] / 1000)

local used, charged, queued = tonumber(redis.call('GET', KEYS[5]) or 0), 0, 0
local function charge(job)
  if ARGV[3] ~= '' and used + charged + job.pixel_steps > tonumber(ARGV[3]) then
    job.state, job.error, job.code = 'failed', ARGV[4], cjson.decode(ARGV[4]).code
  else
    charged = charged + job.pixel_steps
    queued = queued + 1
  end
end

local jobs = cjson.decode(ARGV[2])
for _, job in ipairs(jobs) do
  if job.state == 'queued' then charge(job) end
  local key = 'job:' .. job.id
  redis.call('HSET', key, 'v', 1, 'state', job.state, 'seq', 1, 'attempt', 1, 'lost', 0, 'created_ms', now_ms,
    'spec', job.spec, 'progress', job.progress, 'batch', found[3], 'owner', job.owner,
    'work_s', job.work_s, 'pack', job.pack)
  if job.bytes > 0 then redis.call('HSET', key, 'bytes', job.bytes) end
  if job.needs ~= '' then redis.call('HSET', key, 'needs', job.needs) end
  if job.priority > 0 then redis.call('HSET', key, 'priority', job.priority) end
  redis.call('ZADD', 'jobs:index', 0, job.id)
  redis.call('ZADD', 'jobs:state:' .. job.state, 0, job.id)
  redis.call('ZADD', 'jobs:owner:' .. job.owner, 0, job.id)
  redis.call('HINCRBY', 'jobs:counts', job.owner .. ':' .. job.state, 1)
  redis.call('ZADD', own, 0, job.id)
  redis.call('HINCRBY', counts, job.state, 1)
  for _, tag in ipairs(job.tags) do redis.call('ZADD', 'jobs:tag:' .. tag, 0, job.id) end
  if job.state == 'failed' then
    redis.call('HSET', key, 'error', job.error, 'finished_ms', now_ms)
    redis.call('HINCRBY', counts, 'failed:' .. job.code, 1)
    redis.call('HINCRBY', 'metrics:ended', 'error:' .. job.code, 1)
    redis.call('ZADD', untidy, now_ms, job.id)
  else
    redis.call('HINCRBYFLOAT', 'jobs:work', 'queued', job.work_s)
    enter_lane(job.id, job.owner, job.needs, job.priority, now_ms)
  end
end

-- The same notes as in apply.lua, of jobs that have failed before they were queued.
if redis.call('EXISTS', 'webhooks:owner:' .. jobs[1].owner) == 1 then
  local function note(kind, id, job)
    redis.call('RPUSH', 'webhooks:outbox', cjson.encode({
      id = id .. '.1', type = kind, owner = jobs[1].owner, job = job, batch = found[3], ms = now_ms}))
  end
  for _, job in ipairs(jobs) do
    if job.state == 'failed' then note('job.failed', job.id, job.id) end
  end
  local left = redis.call('HMGET', counts, 'queued', 'running')
  local over = tonumber(left[1] or 0) + tonumber(left[2] or 0) == 0
  if over and tonumber(found[1]) + #jobs >= tonumber(redis.call('HGET', batch, 'total')) then
    note('batch.finished', found[3] .. '.' .. jobs[#jobs].id, jobs[#jobs].id)
  end
end
if charged > 0 then
  redis.call('INCRBY', KEYS[5], string.format('%.0f', charged))
  redis.call('EXPIRE', KEYS[5], 172800)
end
redis.call('HINCRBY', batch, 'cursor', #jobs)
return queued
