-- Keeps or removes an objection in a workshop that goes on. The secret is compared by its hash, as
-- in vote.lua.
--
-- KEYS     1 round  2 assessment  3 ballot  4 objections
-- ARGV     1 SHA-1 of the secret of objections  2 element and pseudonym  3 "1" to keep, "0" to remove
-- RETURNS  {"done"}, {"gone"}, {"none"}: no assessment, or {"stage"}
local expires = redis.call('EXPIRETIME', KEYS[1])
if expires < 0 then return {'gone'} end
local stage = redis.call('HGET', KEYS[2], 'stage')
if not stage then return {'none'} end
local secret = redis.call('HGET', KEYS[3], 'objections')
if stage ~= 'workshop' or redis.sha1hex(secret or '') ~= ARGV[1] then return {'stage'} end
if ARGV[3] == '1' then
  redis.call('HSET', KEYS[4], ARGV[2], 1)
  redis.call('EXPIREAT', KEYS[4], expires)
else
  redis.call('HDEL', KEYS[4], ARGV[2])
end
return {'done'}
