-- Counts one request against a rate, so that as many as the limit may come at once and then as many a minute.
-- What is kept is the time at which the bucket would be full again (the generic cell rate algorithm).
--
-- KEYS  1 text with a time to live
-- ARGV  1 requests · 2 in so many ms
-- Answer: {1 if allowed, requests left, ms until the next is allowed, ms until the bucket is full}
local limit, window = tonumber(ARGV[1]), tonumber(ARGV[2])
local each = window / limit
local time = redis.call('TIME')
local now = time[1] * 1000 + time[2] / 1000
local full = math.max(tonumber(redis.call('GET', KEYS[1]) or 0), now)
if full + each - now > window then
  return {0, 0, math.ceil(full + each - now - window), math.ceil(full - now)}
end
full = full + each
redis.call('SET', KEYS[1], string.format('%.3f', full), 'PX', math.ceil(full - now))
return {1, math.floor((window - (full - now)) / each), 0, math.ceil(full - now)}
