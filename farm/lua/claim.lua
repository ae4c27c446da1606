-- Gives a worker its next jobs: first whose turn it is, then what comes first of that owner's. Behind lanes.lua and
-- change.lua.
--
-- ARGV  1 a claim as JSON, without id and attempt (farm/change.py) · 2 the worker · 3 the tags that it has, as a JSON list
--       4 the model that it has loaded, or nothing · 5 most jobs · 6 weights of owners, as JSON · 7 bytes for a pack
-- Answer: the ids of the jobs, the first of which the others may share a pack with.
local OWNERS, WINDOW, MOST_PASSED, LEAST_S, SHUNNED_MS = 50, 100, 8, 0.001, 60000
local claim, worker, tags, warm = cjson.decode(ARGV[1]), ARGV[2], {}, ARGV[4]
local most, weights = tonumber(ARGV[5]), cjson.decode(ARGV[6])
for _, tag in ipairs(cjson.decode(ARGV[3])) do tags[tag] = true end

-- A worker that saw no answer asks again, and gets the same.
local remembered = 'dispatch:claim:' .. claim.op
local given = redis.call('LRANGE', remembered, 0, -1)
if #given > 0 then return given end

-- One that is to end hands its job back, and is not to take it again; one that is set aside takes none.
local own = 'worker:' .. worker
if redis.call('EXISTS', own .. ':leaving', own .. ':draining', own .. ':aside') > 0 then return {} end

local needs, claimed = {}, {}
local function is_served(need)
  for tag in string.gmatch(need, '[^+]+') do
    if not tags[tag] then return false end
  end
  return true
end
for _, need in ipairs(redis.call('HKEYS', 'dispatch:waiting')) do
  if is_served(need) then needs[#needs + 1] = need end
end

local function owners_by_turn()
  local turns, owners = {}, {}
  for _, need in ipairs(needs) do
    local found = redis.call('ZRANGE', 'dispatch:owners:' .. need, 0, OWNERS - 1, 'WITHSCORES')
    for i = 1, #found, 2 do
      if not turns[found[i]] then owners[#owners + 1] = found[i] end
      turns[found[i]] = tonumber(found[i + 1])
    end
  end
  table.sort(owners, function(a, b)
    if turns[a] == turns[b] then return a < b end
    return turns[a] < turns[b]
  end)
  return owners, turns
end

local function first_need(owner)
  local lowest, chosen
  for _, need in ipairs(needs) do
    local score = tonumber(redis.call('ZRANGE', lane_of(need, owner), 0, 0, 'WITHSCORES')[2])
    if score and (not lowest or score < lowest) then lowest, chosen = score, need end
  end
  return chosen
end

local function pack_of(id) return redis.call('HGET', 'job:' .. id, 'pack') or '' end
-- Who failed a job leaves it to others for a while.
local time = redis.call('TIME')
local now_ms = time[1] * 1000 + math.floor(time[2] / 1000)
local function is_shunned(id)
  local found = redis.call('HMGET', 'job:' .. id, 'shunned', 'shunned_ms')
  return found[1] == worker and now_ms - tonumber(found[2]) < SHUNNED_MS
end

local function model_of(id) return string.match(pack_of(id), '^[^:]*') end

-- The first of the lane, or one of equal priority for the model that is loaded; the first is passed over only so often.
local function first_id(lane)
  local found = redis.call('ZRANGE', lane, 0, WINDOW - 1, 'WITHSCORES')
  local priority = math.floor(tonumber(found[2]) / PER_PRIORITY)
  if warm ~= '' and redis.call('HINCRBY', 'dispatch:passed', lane, 1) <= MOST_PASSED then
    for i = 1, #found, 2 do
      if math.floor(tonumber(found[i + 1]) / PER_PRIORITY) ~= priority then break end
      if model_of(found[i]) == warm and not is_shunned(found[i]) then
        if i == 1 then redis.call('HDEL', 'dispatch:passed', lane) end
        return found[i]
      end
    end
  end
  redis.call('HDEL', 'dispatch:passed', lane)
  for i = 1, #found, 2 do
    if not is_shunned(found[i]) then return found[i] end
  end
end

local function charge(owner, turn, id)
  local work_s = tonumber(redis.call('HGET', 'job:' .. id, 'work_s') or 0)
  set_turn(owner, turn + math.max(work_s, LEAST_S) / (weights[owner] or 1))
end

local function take(id, owner, need)
  local turn = tonumber(redis.call('ZSCORE', 'dispatch:owners:' .. need, owner))
  claim.id, claim.attempt = id, tonumber(redis.call('HGET', 'job:' .. id, 'attempt'))
  if not claim.attempt or apply(claim, worker)[1] ~= 'ok' then
    leave_lane(id, owner, need)
    return
  end
  charge(owner, turn, id)
  claimed[#claimed + 1] = id
end

-- Others that may share the pack, as each comes in its lane; whoever packs along is charged like everybody.
local function fill_up(pack, owner, need)
  for _, id in ipairs(redis.call('ZRANGE', lane_of(need, owner), 0, WINDOW - 1)) do
    if #claimed >= most then return end
    if pack_of(id) == pack and not is_shunned(id) then take(id, owner, need) end
  end
end

local owners, turns = owners_by_turn()
for _, owner in ipairs(owners) do
  local need = first_need(owner)
  local id = need and #claimed == 0 and first_id(lane_of(need, owner))
  if id then
    redis.call('SET', 'dispatch:clock', math.max(turns[owner], tonumber(redis.call('GET', 'dispatch:clock') or 0)))
    take(id, owner, need)
  end
end
local pack = claimed[1] and pack_of(claimed[1]) or ''
local each = claimed[1] and tonumber(redis.call('HGET', 'job:' .. claimed[1], 'bytes') or 0) or 0
if each > 0 then most = math.min(most, math.floor(tonumber(ARGV[7]) / each)) end
if string.match(pack, ':.+$') then
  for _, owner in ipairs(owners) do
    for _, need in ipairs(needs) do fill_up(pack, owner, need) end
  end
end
if #claimed > 0 then
  redis.call('HINCRBY', 'metrics:packs', #claimed, 1)
  redis.call('RPUSH', remembered, unpack(claimed))
  redis.call('PEXPIRE', remembered, 60000)
end
return claimed
