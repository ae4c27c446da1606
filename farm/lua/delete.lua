-- Removes a job that has come to rest, with every index it stands in. Behind results.lua.
--
-- KEYS  1 job hash · 2 event stream · 3 lease · 4 jobs to tidy up after
-- ARGV  1 id · 2… tags
-- Answer: ok, missing or active.
local state = redis.call('HGET', KEYS[1], 'state')
if not state then return 'missing' end
if state == 'queued' or state == 'running' then return 'active' end
redis.call('ZREM', 'jobs:index', ARGV[1])
redis.call('ZREM', 'jobs:state:' .. state, ARGV[1])
redis.call('ZREM', KEYS[4], ARGV[1])
forget_result(KEYS[1], ARGV[1])
local owner = redis.call('HGET', KEYS[1], 'owner') or 'local'
redis.call('ZREM', 'jobs:owner:' .. owner, ARGV[1])
if redis.call('HINCRBY', 'jobs:counts', owner .. ':' .. state, -1) <= 0 then
  redis.call('HDEL', 'jobs:counts', owner .. ':' .. state)
end
local batch = redis.call('HGET', KEYS[1], 'batch')
if batch then
  redis.call('ZREM', 'batch:' .. batch .. ':jobs', ARGV[1])
  redis.call('HINCRBY', 'batch:' .. batch .. ':counts', 'deleted', 1)
  redis.call('HINCRBY', 'batch:' .. batch .. ':counts', state, -1)
  local error = redis.call('HGET', KEYS[1], 'error')
  if state == 'failed' and error then
    redis.call('HINCRBY', 'batch:' .. batch .. ':counts', 'failed:' .. cjson.decode(error).code, -1)
  end
end
for i = 2, #ARGV do redis.call('ZREM', 'jobs:tag:' .. ARGV[i], ARGV[1]) end
redis.call('DEL', KEYS[1], KEYS[2], KEYS[3])
return 'ok'
