-- Creates the next jobs of a batch and moves its cursor, both or neither. Behind lanes.lua, notes.lua and enter.lua.
--
-- KEYS  1 batch hash · 2 pixel-steps of the owner, today
-- ARGV  1 the cursor that this starts from · 2 jobs as a JSON list (farm/new_job.py)
--       3 most pixel-steps of the owner a day, or nothing · 4 the error of jobs beyond
-- Answer: how many jobs were queued; none where somebody else was faster, or the batch is canceled or gone.
local batch = KEYS[1]
local found = redis.call('HMGET', batch, 'cursor', 'canceled', 'id')
if not found[1] or found[2] or tonumber(found[1]) ~= tonumber(ARGV[1]) then return 0 end
local time = redis.call('TIME')
local now_ms = time[1] * 1000 + math.floor(time[2] / 1000)

local used, charged, queued = tonumber(redis.call('GET', KEYS[2]) or 0), 0, 0
local function charge(job)
  if ARGV[3] ~= '' and used + charged + job.pixel_steps > tonumber(ARGV[3]) then
    job.state, job.error, job.code = 'failed', ARGV[4], cjson.decode(ARGV[4]).code
  else
    charged = charged + job.pixel_steps
    queued = queued + 1
  end
end

local jobs = cjson.decode(ARGV[2])
for _, job in ipairs(jobs) do
  if job.state == 'queued' then charge(job) end
  enter(job, found[3], now_ms)
end

if not has_active_jobs(found[3]) and tonumber(found[1]) + #jobs >= tonumber(redis.call('HGET', batch, 'total')) then
  local last = jobs[#jobs]
  note('batch.finished', found[3] .. '.' .. last.id .. '.1', last.owner, last.id, found[3], now_ms)
end
if charged > 0 then
  redis.call('INCRBY', KEYS[2], string.format('%.0f', charged))
  redis.call('EXPIRE', KEYS[2], 172800)
end
redis.call('HINCRBY', batch, 'cursor', #jobs)
return queued
