-- Stores a new job; a second call with the same id changes nothing. Behind lanes.lua, notes.lua and enter.lua.
--
-- KEYS  1 job hash
-- ARGV  1 the job as JSON (farm/new_job.py)
if redis.call('EXISTS', KEYS[1]) == 1 then return 0 end
local time = redis.call('TIME')
enter(cjson.decode(ARGV[1]), nil, time[1] * 1000 + math.floor(time[2] / 1000))
return 1
