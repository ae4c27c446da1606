-- Creates the next jobs of a batch and moves its cursor, both or neither.
--
-- KEYS  1 batch hash · 2 counts of the batch by state · 3 the batch's jobs · 4 jobs by time of sending · 5 jobs to tidy up after
-- ARGV  1 the cursor that this starts from · 2 jobs as a JSON list of {id, state, owner, work_s, spec, progress, error, code, tags}
-- Answer: ok, moved (somebody else was faster), canceled or missing.
local batch, counts, own, sent, untidy = KEYS[1], KEYS[2], KEYS[3], KEYS[4], KEYS[5]
local found = redis.call('HMGET', batch, 'cursor', 'canceled', 'id')
if not found[1] then return 'missing' end
if found[2] then return 'canceled' end
if tonumber(found[1]) ~= tonumber(ARGV[1]) then return 'moved' end
local time = redis.call('TIME')
local now_ms = time[1] * 1000 + math.floor(time[2] / 1000)

local jobs = cjson.decode(ARGV[2])
for _, job in ipairs(jobs) do
  local key = 'job:' .. job.id
  redis.call('HSET', key, 'v', 1, 'state', job.state, 'seq', 1, 'attempt', 1, 'lost', 0, 'created_ms', now_ms,
    'spec', job.spec, 'progress', job.progress, 'batch', found[3], 'owner', job.owner,
    'work_s', job.work_s)
  redis.call('ZADD', 'jobs:index', 0, job.id)
  redis.call('ZADD', 'jobs:state:' .. job.state, 0, job.id)
  redis.call('ZADD', 'jobs:owner:' .. job.owner, 0, job.id)
  redis.call('ZADD', own, 0, job.id)
  redis.call('HINCRBY', counts, job.state, 1)
  for _, tag in ipairs(job.tags) do redis.call('ZADD', 'jobs:tag:' .. tag, 0, job.id) end
  if job.state == 'failed' then
    redis.call('HSET', key, 'error', job.error, 'finished_ms', now_ms)
    redis.call('HINCRBY', counts, 'failed:' .. job.code, 1)
    redis.call('ZADD', untidy, now_ms, job.id)
  else
    redis.call('ZADD', sent, now_ms, job.id)
  end
end
redis.call('HINCRBY', batch, 'cursor', #jobs)
return 'ok'
