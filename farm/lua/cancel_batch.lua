-- Notes that no more of a batch's jobs are to be made. Behind notes.lua.
--
-- KEYS  1 batch hash · 2 batches whose jobs are not all made
-- ARGV  1 the batch's id
local found = redis.call('HMGET', KEYS[1], 'cursor', 'total', 'canceled', 'owner')
if not found[1] or found[3] then return end
redis.call('HSET', KEYS[1], 'canceled', 1)
redis.call('ZREM', KEYS[2], ARGV[1])

-- Where all that were made have ended, the batch is finished now; else with the last of them.
if tonumber(found[1]) < tonumber(found[2]) and not has_active_jobs(ARGV[1]) then
  local time = redis.call('TIME')
  note('batch.finished', ARGV[1] .. '.canceled', found[4] or 'local', nil, ARGV[1], time[1] * 1000 + math.floor(time[2] / 1000))
end
