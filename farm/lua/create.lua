-- Stores a new job, queued, with every index it stands in; a second call with the same id changes nothing. Behind
-- lanes.lua.
--
-- KEYS  1 job hash
-- ARGV  1 id · 2 spec as JSON · 3 progress as JSON · 4 owner · 5 seconds of work · 6 what it may share a pack with
--       7 bytes that it takes in a pack · 8 tags that it needs a worker to have, joined by '+' · 9 priority · 10… tags
if redis.call('EXISTS', KEYS[1]) == 1 then return 0 end
local time = redis.call('TIME')
local now_ms = time[1] * 1000 + math.floor(time[2] / 1000)

redis.call('HSET', KEYS[1], 'v', 1, 'state', 'queued', 'seq', 1, 'attempt', 1, 'lost', 0, 'created_ms', now_ms,
  'spec', ARGV[2], 'progress', ARGV[3], 'owner', ARGV[4], 'work_s', ARGV[5], 'pack', ARGV[6])
if ARGV[7] ~= '0' then redis.call('HSET', KEYS[1], 'bytes', ARGV[7]) end
if ARGV[8] ~= '' then redis.call('HSET', KEYS[1], 'needs', ARGV[8]) end
if ARGV[9] ~= '0' then redis.call('HSET', KEYS[1], 'priority', ARGV[9]) end
redis.call('ZADD', 'jobs:index', 0, ARGV[1])
redis.call('ZADD', 'jobs:state:queued', 0, ARGV[1])
redis.call('ZADD', 'jobs:owner:' .. ARGV[4], 0, ARGV[1])
redis.call('HINCRBY', 'jobs:counts', ARGV[4] .. ':queued', 1)
redis.call('HINCRBYFLOAT', 'jobs:work', 'queued', ARGV[5])
enter_lane(ARGV[1], ARGV[4], ARGV[8], tonumber(ARGV[9]), now_ms)
for i = 10, #ARGV do redis.call('ZADD', 'jobs:tag:' .. ARGV[i], 0, ARGV[1]) end
return 1
