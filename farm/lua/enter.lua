-- Stores a new job with every index it stands in: queued; failed, as it can't be dreamt; or succeeded at once, with an
-- earlier result. Behind lanes.lua and notes.lua, before the scripts that make jobs.
--
-- job    as farm/new_job.py gives it
-- batch  the batch that it belongs to, or nil

local function enter_queue(job, now_ms)
  redis.call('HINCRBYFLOAT', 'jobs:work', 'queued', job.work_s)
  enter_lane(job.id, job.owner, job.needs, job.priority, now_ms)
end

local function enter_failed(job, key, counts)
  redis.call('HSET', key, 'error', job.error)
  if counts then redis.call('HINCRBY', counts, 'failed:' .. job.code, 1) end
  redis.call('HINCRBY', 'metrics:ended', 'error:' .. job.code, 1)
end

local function enter_succeeded(job, key, now_ms)
  redis.call('HSET', key, 'output', job.output, 'cached', 1, 'cache_key', job.cache_key, 'losses', job.losses)
  if job.notices ~= '' then redis.call('HSET', key, 'notices', job.notices) end
  redis.call('HSET', 'results:' .. job.owner, job.cache_key, job.id)
  redis.call('HINCRBY', 'metrics:ended', 'cached', 1)
  if job.expires_in > 0 then redis.call('ZADD', 'jobs:expiring', now_ms + job.expires_in * 1000, job.id) end
end

local function enter(job, batch, now_ms)
  local key, counts = 'job:' .. job.id, batch and 'batch:' .. batch .. ':counts'
  redis.call('HSET', key, 'v', 1, 'state', job.state, 'seq', 1, 'attempt', 1, 'lost', 0, 'created_ms', now_ms,
    'spec', job.spec, 'progress', job.progress, 'owner', job.owner, 'work_s', job.work_s, 'pack', job.pack)
  if job.bytes > 0 then redis.call('HSET', key, 'bytes', job.bytes) end
  if job.needs ~= '' then redis.call('HSET', key, 'needs', job.needs) end
  if job.priority > 0 then redis.call('HSET', key, 'priority', job.priority) end
  redis.call('ZADD', 'jobs:index', 0, job.id)
  redis.call('ZADD', 'jobs:state:' .. job.state, 0, job.id)
  redis.call('ZADD', 'jobs:owner:' .. job.owner, 0, job.id)
  redis.call('HINCRBY', 'jobs:counts', job.owner .. ':' .. job.state, 1)
  for _, tag in ipairs(job.tags) do redis.call('ZADD', 'jobs:tag:' .. tag, 0, job.id) end
  if batch then
    redis.call('HSET', key, 'batch', batch)
    redis.call('ZADD', 'batch:' .. batch .. ':jobs', 0, job.id)
    redis.call('HINCRBY', counts, job.state, 1)
  end
  if job.state == 'queued' then return enter_queue(job, now_ms) end
  redis.call('HSET', key, 'finished_ms', now_ms)
  redis.call('ZADD', 'jobs:untidy', now_ms, job.id)
  if job.state == 'failed' then enter_failed(job, key, counts) else enter_succeeded(job, key, now_ms) end
  note('job.' .. job.state, job.id .. '.1', job.owner, job.id, batch, now_ms)
end
