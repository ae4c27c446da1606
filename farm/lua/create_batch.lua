-- Stores a new batch, whole; a second call with the same id, and a call that a client sends again, change nothing.
--
-- KEYS  1 batch hash · 2 its inputs · 3 all batches · 4 its owner's · 5 those whose jobs are not all made
-- ARGV  1 id · 2 owner · 3 spec · 4 jobs in all · 5… inputs as JSON
local first, slice = 5, 1000
if redis.call('EXISTS', KEYS[1]) == 1 then return 0 end
local time = redis.call('TIME')
redis.call('HSET', KEYS[1], 'id', ARGV[1], 'owner', ARGV[2], 'spec', ARGV[3], 'total', ARGV[4], 'cursor', 0,
  'created_ms', time[1] * 1000 + math.floor(time[2] / 1000))
for from = first, #ARGV, slice do
  redis.call('RPUSH', KEYS[2], unpack(ARGV, from, math.min(from + slice - 1, #ARGV)))
end
for index = 3, 5 do redis.call('ZADD', KEYS[index], 0, ARGV[1]) end
return 1
