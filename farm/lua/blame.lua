-- Judges workers by the jobs that they fail and others then render. Stands before the scripts that end attempts.
local BLAMED_AT_MOST, REMEMBERED_S = 2, 86400

local function failures_of(worker) return 'worker:' .. worker .. ':failures' end
local function blamed_of(worker) return 'worker:' .. worker .. ':blamed' end

-- A job's failure counts once another worker has rendered it; until then it may be the job's own fault.
local function note_failure(worker, id, code)
  redis.call('HSET', failures_of(worker), id, code)
  redis.call('EXPIRE', failures_of(worker), REMEMBERED_S)
end

local function forget_failure(worker, id) redis.call('HDEL', failures_of(worker), id) end

local function note_success(worker) redis.call('DEL', failures_of(worker), blamed_of(worker)) end

local function set_aside(worker, ids)
  local told = {}
  for i, id in ipairs(ids) do told[i] = id .. ' (' .. (redis.call('HGET', failures_of(worker), id) or 'failed') .. ')' end
  redis.call('SET', 'worker:' .. worker .. ':aside', 'It failed ' .. #ids ..
    ' jobs in a row that other workers then rendered: ' .. table.concat(told, ', ') .. '. Its log says why.')
end

local function blame(worker, id)
  if redis.call('HEXISTS', failures_of(worker), id) == 0 then return end
  redis.call('SADD', blamed_of(worker), id)
  redis.call('EXPIRE', blamed_of(worker), REMEMBERED_S)
  local ids = redis.call('SMEMBERS', blamed_of(worker))
  table.sort(ids)
  if #ids > BLAMED_AT_MOST then set_aside(worker, ids) end
end

-- What the end of an attempt says about its worker, and about those who tried before.
local function judge(job, id, attempt, change)
  local worker = redis.call('HGET', job, 'attempt.' .. attempt .. '.worker')
  if change.ends == 'lost' then note_failure(worker, id, 'lost') end
  if change.doubts then note_failure(worker, id, change.doubts) end
  if change.ends == 'succeeded' then note_success(worker) end
  if not change.finishes then return end
  for number = 1, attempt - 1 do
    local other = redis.call('HGET', job, 'attempt.' .. number .. '.worker')
    if other and other ~= worker then
      if change.ends == 'succeeded' then blame(other, id) else forget_failure(other, id) end
    end
  end
end
