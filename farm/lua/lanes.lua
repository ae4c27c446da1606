-- Where queued jobs wait: one lane for every owner and every set of tags that jobs need a worker to have.
-- Stands before the scripts that queue jobs or take them; the order of claims is told in farm/dispatch.py.
local TOP_PRIORITY = 9
local PER_PRIORITY = 1e13 -- more milliseconds than have passed since 1970
local MOST_BEHIND_S = 600

local function lane_of(need, owner) return 'lane:' .. need .. ':' .. owner end

local function set_turn(owner, turn)
  redis.call('HSET', 'dispatch:turns', owner, turn)
  for _, need in ipairs(redis.call('HKEYS', 'dispatch:waiting')) do
    redis.call('ZADD', 'dispatch:owners:' .. need, 'XX', turn, owner)
  end
end

-- Who comes back after a rest starts level with those who wait: nobody saves up a right to the whole farm, and nobody
-- stays behind for ever because of what was used long ago.
local function join_turns(owner, need)
  local first = redis.call('ZRANGE', 'dispatch:owners:' .. need, 0, 0, 'WITHSCORES')
  local level = tonumber(first[2] or redis.call('GET', 'dispatch:clock') or 0)
  local own = tonumber(redis.call('HGET', 'dispatch:turns', owner) or 0)
  local turn = math.min(math.max(own, level), level + MOST_BEHIND_S)
  redis.call('ZADD', 'dispatch:owners:' .. need, turn, owner)
  set_turn(owner, turn)
end

-- The work that waits is known as a sum for each set of tags, so that an estimate can leave out what nobody can do.
local function weigh_lane(id, need, sign)
  local work_s = redis.call('HGET', 'job:' .. id, 'work_s')
  if not work_s then return end
  local left = tonumber(redis.call('HINCRBYFLOAT', 'dispatch:work', need, sign .. work_s))
  if left < 0.0005 then redis.call('HDEL', 'dispatch:work', need) end
end

local function enter_lane(id, owner, need, priority, created_ms)
  local lane = lane_of(need, owner)
  if redis.call('ZADD', lane, (TOP_PRIORITY - priority) * PER_PRIORITY + created_ms, id) == 0 then return end
  redis.call('HINCRBY', 'dispatch:waiting', need, 1)
  weigh_lane(id, need, '')
  if redis.call('ZCARD', lane) == 1 then join_turns(owner, need) end
end

local function leave_lane(id, owner, need)
  local lane = lane_of(need, owner)
  if redis.call('ZREM', lane, id) == 0 then return end
  weigh_lane(id, need, '-')
  if redis.call('HINCRBY', 'dispatch:waiting', need, -1) <= 0 then redis.call('HDEL', 'dispatch:waiting', need) end
  if redis.call('EXISTS', lane) == 0 then
    redis.call('ZREM', 'dispatch:owners:' .. need, owner)
    redis.call('HDEL', 'dispatch:passed', lane)
  end
end
