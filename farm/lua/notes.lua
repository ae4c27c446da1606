-- What owners asked to be told of is noted in the step that changes it, so that nothing that happened is lost. Stands
-- before the scripts that make jobs or end them.
--
-- id  what happened, by a name that nothing else has
local function note(kind, id, owner, job, batch, now_ms)
  if redis.call('EXISTS', 'webhooks:owner:' .. owner) == 1 then
    redis.call('RPUSH', 'webhooks:outbox', cjson.encode({
      id = id, type = kind, owner = owner, job = job, batch = batch, ms = now_ms}))
  end
end

local function has_active_jobs(batch)
  local counts = redis.call('HMGET', 'batch:' .. batch .. ':counts', 'queued', 'running')
  return tonumber(counts[1] or 0) + tonumber(counts[2] or 0) > 0
end
