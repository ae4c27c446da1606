-- Keeps what is known of results that can be served again (farm/result_cache.py). Stands before the scripts that end jobs
-- or remove them.

-- A later job's result may have taken its place meanwhile.
local function forget_result(job, id)
  local key = redis.call('HGET', job, 'cache_key')
  local results = 'results:' .. (redis.call('HGET', job, 'owner') or 'local')
  if key and redis.call('HGET', results, key) == id then redis.call('HDEL', results, key) end
end
