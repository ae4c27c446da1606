-- Begins the one making that an Idempotency-Key stands for, or tells what became of it.
--
-- KEYS  1 the key's hash
-- ARGV  1 fingerprint of the request · 2 id for what would be made · 3 token of this try · 4 its life in ms · 5 the key's life in ms
-- Answer: {new, id} · {other} · {running} · {done, answer}
local found = redis.call('HMGET', KEYS[1], 'fingerprint', 'id', 'answer', 'until_ms', 'token')
local time = redis.call('TIME')
local now_ms = time[1] * 1000 + math.floor(time[2] / 1000)
if not found[1] then
  redis.call('HSET', KEYS[1], 'fingerprint', ARGV[1], 'id', ARGV[2], 'token', ARGV[3], 'until_ms', now_ms + ARGV[4])
  redis.call('PEXPIRE', KEYS[1], ARGV[5])
  return {'new', ARGV[2]}
end
if found[1] ~= ARGV[1] then return {'other'} end
if found[3] then return {'done', found[3]} end
if now_ms < tonumber(found[4]) and found[5] ~= ARGV[3] then return {'running'} end
-- The try before died, or failed half-way, or a client sends this one again: it goes on with the same id, so that nothing is made twice.
redis.call('HSET', KEYS[1], 'token', ARGV[3], 'until_ms', now_ms + ARGV[4])
return {'new', found[2]}
