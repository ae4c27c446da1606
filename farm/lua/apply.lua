-- Applies one change. Behind lanes.lua and change.lua.
--
-- ARGV  1 the change as JSON · 2 the worker that asks
-- Answer: as `apply` gives it.
return apply(cjson.decode(ARGV[1]), ARGV[2])
