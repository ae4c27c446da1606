-- Mixes a worker's newest pace into what was known of it: geometrically, as paces are ratios.
--
-- KEYS  1 paces of a model · ARGV  1 worker · 2 newest pace · 3 its share, 0 to 1 · 4 seconds to keep them all
local known = tonumber(redis.call('HGET', KEYS[1], ARGV[1]) or ARGV[2])
local pace = known ^ (1 - ARGV[3]) * ARGV[2] ^ ARGV[3]
redis.call('HSET', KEYS[1], ARGV[1], string.format('%.6g', pace))
redis.call('EXPIRE', KEYS[1], ARGV[4])
return 1
