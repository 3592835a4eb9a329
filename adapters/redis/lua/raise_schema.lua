-- Raises the schema of the store to that of this program, unless the store's is newer.
--
-- KEYS     1 schema
-- ARGV     1 the program's schema
-- RETURNS  {"done", the schema that is now kept}
local kept = tonumber(redis.call('GET', KEYS[1]) or '0')
local own = tonumber(ARGV[1])
if kept < own then
  redis.call('SET', KEYS[1], ARGV[1])
  kept = own
end
return {'done', kept}
