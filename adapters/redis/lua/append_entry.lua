-- Appends an entry to the audit log of a round, if it follows the last one. An equal entry in its
-- place is this one, whose reply was lost.
--
-- KEYS     1 round  2 audit
-- ARGV     1 entry  2 its number
-- RETURNS  {"done"}, {"gone"} or {"behind", number of entries, the last entry}
local expires = redis.call('EXPIRETIME', KEYS[1])
if expires < 0 then return {'gone'} end
if redis.call('LINDEX', KEYS[2], ARGV[2] - 1) == ARGV[1] then return {'done'} end
if redis.call('LLEN', KEYS[2]) ~= ARGV[2] - 1 then
  return {'behind', redis.call('LLEN', KEYS[2]), redis.call('LINDEX', KEYS[2], -1) or ''}
end

redis.call('RPUSH', KEYS[2], ARGV[1])
redis.call('EXPIREAT', KEYS[2], expires)
return {'done'}
