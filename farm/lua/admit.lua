-- Lets new jobs in, if the queues and the day's quota have room, and charges their pixel-steps.
--
-- KEYS  1 jobs by owner and state · 2 queued jobs · 3 batches whose jobs are not all made · 4 pixel-steps of the owner, today
-- ARGV  1 owner · 2 jobs · 3 pixel-steps · 4 most queued jobs of an owner · 5 of all · 6 most pixel-steps; '' for no limit
-- Answer: {ok} · {farm, queued} · {owner, queued} · {quota, used}
local jobs, pixels = tonumber(ARGV[2]), tonumber(ARGV[3])
local own = tonumber(redis.call('HGET', KEYS[1], ARGV[1] .. ':queued') or 0)
local all = redis.call('ZCARD', KEYS[2])
for _, id in ipairs(redis.call('ZRANGE', KEYS[3], 0, -1)) do
  local batch = redis.call('HMGET', 'batch:' .. id, 'total', 'cursor', 'owner')
  local waiting = tonumber(batch[1] or 0) - tonumber(batch[2] or 0)
  all = all + waiting
  if (batch[3] or 'local') == ARGV[1] then own = own + waiting end
end
if ARGV[5] ~= '' and all + jobs > tonumber(ARGV[5]) then return {'farm', all} end
if ARGV[4] ~= '' and own + jobs > tonumber(ARGV[4]) then return {'owner', own} end
local used = tonumber(redis.call('GET', KEYS[4]) or 0)
if ARGV[6] ~= '' and (used + pixels > tonumber(ARGV[6]) or used >= tonumber(ARGV[6])) then
  return {'quota', string.format('%.0f', used)}
end
if pixels > 0 then
  redis.call('INCRBY', KEYS[4], ARGV[3])
  redis.call('EXPIRE', KEYS[4], 172800)
end
return {'ok'}
