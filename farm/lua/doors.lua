-- Tells how many messages the pools' queues lack: one for each waiting job, and no more than there are workers.
--
-- ARGV  1 seconds after which a silent worker counts no more · 2 name of the queue
-- Answer: for each pool that lacks some, its tags joined by '+', and how many.
local time = redis.call('TIME')
local since = tonumber(time[1]) - tonumber(ARGV[1])
redis.call('ZREMRANGEBYSCORE', 'dispatch:pools', '-inf', '(' .. since)

local function serves(pool, need)
  for tag in string.gmatch(need, '[^+]+') do
    if not string.find('+' .. pool .. '+', '+' .. tag .. '+', 1, true) then return false end
  end
  return true
end

local waiting, answer = redis.call('HGETALL', 'dispatch:waiting'), {}
for _, pool in ipairs(redis.call('ZRANGE', 'dispatch:pools', 0, -1)) do
  local workers = redis.call('ZCOUNT', 'dispatch:pool:' .. pool, since, '+inf')
  local runnable = 0
  for i = 1, #waiting, 2 do
    if serves(pool, waiting[i]) then runnable = runnable + tonumber(waiting[i + 1]) end
  end
  local queue = pool == '' and ARGV[2] or ARGV[2] .. '.' .. pool
  local lacking = math.min(runnable, workers) - redis.call('LLEN', queue)
  if lacking > 0 then
    answer[#answer + 1] = pool
    answer[#answer + 1] = lacking
  end
end
return answer
