-- Ends a try, unless another has taken over.
--
-- KEYS  1 the key's hash
-- ARGV  1 token of the try · 2 keep, free or forget · 3 the answer to keep
if redis.call('HGET', KEYS[1], 'token') ~= ARGV[1] then return 0 end
if ARGV[2] == 'keep' then
  redis.call('HSET', KEYS[1], 'answer', ARGV[3])
  redis.call('HDEL', KEYS[1], 'token', 'until_ms')
elseif ARGV[2] == 'free' then
  redis.call('HSET', KEYS[1], 'until_ms', 0)
else
  redis.call('DEL', KEYS[1])
end
return 1
