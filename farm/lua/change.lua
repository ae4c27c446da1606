-- Applies one change to one job, whole or not at all: first every guard, then every write. Behind lanes.lua,
-- notes.lua, results.lua and blame.lua, before the scripts that change jobs.
--
-- change  see farm/change.py
-- worker  the one that asks, to be told whether it is draining; '' if none does
-- Answer: {outcome, state, seq, attempt, draining}; outcome is ok, missing, wrong_state or stale.
local REMEMBERED_OPS_LENGTH = 8 * 17 -- others change the job while a client waits for its answer

local function apply(change, worker)
  local job = 'job:' .. change.id
  local events, lease = job .. ':events', job .. ':lease'

  local function answer(outcome)
    local found = redis.call('HMGET', job, 'state', 'seq', 'attempt')
    return {outcome, found[1] or '', tonumber(found[2] or 0), tonumber(found[3] or 0), redis.call('EXISTS', 'worker:' .. worker .. ':draining')}
  end

  local function contains(list, wanted)
    for _, item in ipairs(list) do
      if item == wanted then return true end
    end
    return false
  end

  if redis.call('EXISTS', job) == 0 then return answer('missing') end
  -- A client that saw no answer sends again: the second time changes nothing.
  local ops = redis.call('HGET', job, 'op') or ''
  if string.find(ops, change.op, 1, true) then return answer('ok') end

  local state = redis.call('HGET', job, 'state')
  local attempt = tonumber(redis.call('HGET', job, 'attempt'))
  if not contains(change.from, state) then return answer('wrong_state') end
  if change.attempt and change.attempt ~= attempt then return answer('stale') end
  local holder = redis.call('GET', lease)
  if change.lease == 'held' and holder ~= change.token then return answer('stale') end
  if change.lease == 'free' and holder then return answer('stale') end

  local time = redis.call('TIME')
  local now_ms = time[1] * 1000 + math.floor(time[2] / 1000)

  -- A batch counts its jobs by state, and its failed ones by error code.
  local batch = redis.call('HGET', job, 'batch')
  local function count(field, by)
    if batch then redis.call('HINCRBY', 'batch:' .. batch .. ':counts', field, by) end
  end
  local function count_failure(error, by)
    if error and error ~= '' then count('failed:' .. cjson.decode(error).code, by) end
  end

  -- The work of what is to do is known as a sum.
  local function weigh(of, sign)
    local work_s = redis.call('HGET', job, 'work_s')
    if work_s and (of == 'queued' or of == 'running') then
      local left = tonumber(redis.call('HINCRBYFLOAT', 'jobs:work', of, sign .. work_s))
      if left < 0.0005 then redis.call('HDEL', 'jobs:work', of) end
    end
  end

  local function tell(id)
    local shown = redis.call('HMGET', job, 'seq', 'state', 'progress', 'error', 'previews')
    redis.call('XADD', events, 'MAXLEN', '~', 500, id, 'seq', shown[1], 'state', shown[2],
      'progress', shown[3] or '', 'error', shown[4] or '', 'previews', shown[5] or 0)
  end

  -- A job that nothing has happened to has no stream: a hundred thousand waiting ones would fill the memory. Readers were
  -- told of it from its record, under this id (farm/events.py).
  if redis.call('HGET', job, 'seq') == '1' then tell((redis.call('HGET', job, 'finished_ms') or 0) .. '-1') end

  if change.to and change.to ~= state then
    count(state, -1)
    count(change.to, 1)
    local owner = redis.call('HGET', job, 'owner') or 'local'
    if redis.call('HINCRBY', 'jobs:counts', owner .. ':' .. state, -1) <= 0 then
      redis.call('HDEL', 'jobs:counts', owner .. ':' .. state)
    end
    redis.call('HINCRBY', 'jobs:counts', owner .. ':' .. change.to, 1)
    weigh(state, '-')
    weigh(change.to, '')
    if state == 'failed' then count_failure(redis.call('HGET', job, 'error'), -1) end
    if change.to == 'failed' then count_failure(change.set.error, 1) end
    redis.call('ZREM', 'jobs:state:' .. state, change.id)
    redis.call('ZADD', 'jobs:state:' .. change.to, 0, change.id)
    redis.call('HSET', job, 'state', change.to)
    local waits = redis.call('HMGET', job, 'needs', 'priority', 'created_ms')
    if change.to == 'queued' then enter_lane(change.id, owner, waits[1] or '', tonumber(waits[2] or 0), tonumber(waits[3])) end
    if state == 'queued' then leave_lane(change.id, owner, waits[1] or '') end
  end

  local function note_end(kind, id)
    local shown = redis.call('HMGET', job, 'owner', 'seq')
    note(kind, id .. '.' .. tonumber(shown[2]) + 1, shown[1] or 'local', change.id, batch, now_ms)
  end
  local function batch_is_over()
    if has_active_jobs(batch) then return false end
    local found = redis.call('HMGET', 'batch:' .. batch, 'cursor', 'total', 'canceled')
    return found[1] and (found[3] or tonumber(found[1]) >= tonumber(found[2]))
  end
  if change.finishes or change.to == 'expired' then
    note_end('job.' .. change.to, change.id)
    if batch and change.finishes and batch_is_over() then note_end('batch.finished', batch .. '.' .. change.id) end
  end

  -- Counted here, so that nothing is counted twice, or by a process that dies before it tells.
  local BUCKETS_S = {0.1, 0.3, 1.0, 3.0, 10.0, 30.0, 100.0, 300.0, 1000.0, 3000.0}
  local function measure()
    redis.call('HINCRBY', 'metrics:ended', 'ended:' .. change.ends, 1)
    if change.ends ~= 'succeeded' and change.ends ~= 'failed' then return end
    local started_ms = tonumber(redis.call('HGET', job, 'attempt.' .. attempt .. '.started_ms'))
    local seconds, bucket = (now_ms - started_ms) / 1000, '+Inf'
    for i = #BUCKETS_S, 1, -1 do
      if seconds <= BUCKETS_S[i] then bucket = string.format('%.1f', BUCKETS_S[i]) end
    end
    redis.call('HINCRBY', 'metrics:render', bucket, 1)
    redis.call('HINCRBYFLOAT', 'metrics:render', 'sum', seconds)
  end
  if change.ends and state == 'running' then
    measure()
    judge(job, change.id, attempt, change)
    if change.doubts then redis.call('HSET', job, 'shunned', change.shuns, 'shunned_ms', now_ms) end
  end
  if change.to == 'failed' then
    redis.call('HINCRBY', 'metrics:ended', 'error:' .. cjson.decode(change.set.error).code, 1)
  end
  if change.to == 'succeeded' then
    local kept_s = cjson.decode(redis.call('HGET', job, 'spec')).expires_in
    if type(kept_s) == 'number' then redis.call('ZADD', 'jobs:expiring', now_ms + kept_s * 1000, change.id) end
    local done = cjson.decode(change.set.progress)
    redis.call('HINCRBY', 'metrics:ended', 'steps', math.max(done.frames or 0, 1) * (done.octaves or 0) * (done.steps or 0))
    redis.call('HINCRBYFLOAT', 'metrics:ended', 'work_s', redis.call('HGET', job, 'work_s') or 0)
  end

  -- Results that can be served again are known by their key, while they are there.
  if change.to == 'succeeded' and change.set.cache_key then
    redis.call('HSET', 'results:' .. (redis.call('HGET', job, 'owner') or 'local'), change.set.cache_key, change.id)
  end
  if change.to == 'expired' then forget_result(job, change.id) end

  if change.ends and state == 'running' then
    redis.call('HSET', job, 'attempt.' .. attempt .. '.ended_ms', now_ms, 'attempt.' .. attempt .. '.outcome', change.ends)
    redis.call('DEL', lease)
  end
  if change.ends == 'lost' then redis.call('HINCRBY', job, 'lost', 1) end
  if change.next_attempt then redis.call('HINCRBY', job, 'attempt', 1) end
  if change.begins then
    redis.call('SET', lease, change.token, 'PX', change.lease_ms)
    redis.call('HSET', job, 'attempt.' .. attempt .. '.started_ms', now_ms, 'attempt.' .. attempt .. '.worker', change.begins)
    redis.call('HSETNX', job, 'started_ms', now_ms)
  end
  if change.finishes then
    redis.call('HSET', job, 'finished_ms', now_ms)
    redis.call('ZADD', 'jobs:untidy', now_ms, change.id)
  end
  for _, field in ipairs(change.unset) do redis.call('HDEL', job, field) end
  for field, value in pairs(change.set) do redis.call('HSET', job, field, value) end

  redis.call('HSET', job, 'op', string.sub(ops .. ' ' .. change.op, -REMEMBERED_OPS_LENGTH))
  redis.call('HINCRBY', job, 'seq', 1)
  tell('*')
  return answer('ok')
end
