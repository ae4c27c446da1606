-- Lengthens a lease for its holder alone.
--
-- KEYS  1 lease · ARGV  1 token · 2 length in ms · Answer: 1 renewed, 0 lost
if redis.call('GET', KEYS[1]) ~= ARGV[1] then return 0 end
return redis.call('PEXPIRE', KEYS[1], ARGV[2])
