-- Replaces an assessment and appends the audit entry, if the assessment's version is still the one
-- the change was made from. Deletes the votes and the secret of a ballot that is not open any more,
-- and keeps the secret of one that is new. It neither finishes a workshop nor reopens a finished
-- one. The same change again counts as made: its reply was lost.
--
-- KEYS     1 round  2 assessment  3 ballot  4 votes  5 audit
-- ARGV     1 version before the change, 0 for a new assessment  2 version after it  3 stage
--          4 body  5 expiry, unix seconds  6 number of the open ballot, or empty
--          7 secret of the ballot, if it is new  8 secret of objections, if there is none yet
--          9 entry, or empty  10 its number
-- RETURNS  {"done", ended}: ended is 1 when a ballot may have ended, else 0;
--          {"gone"}, {"changed"}, {"stage"} or {"behind", number of entries, the last entry}
local expires = redis.call('EXPIRETIME', KEYS[1])
if expires < 0 then return {'gone'} end
local kept = redis.call('HMGET', KEYS[2], 'version', 'stage', 'body')
if kept[1] == ARGV[2] and kept[2] == ARGV[3] and kept[3] == ARGV[4] then return {'done', 1} end
if (kept[1] or '0') ~= ARGV[1] then return {'changed'} end
if kept[2] and (kept[2] == 'agreed') ~= (ARGV[3] == 'agreed') then return {'stage'} end
if ARGV[9] ~= '' and redis.call('LLEN', KEYS[5]) ~= ARGV[10] - 1 then
  return {'behind', redis.call('LLEN', KEYS[5]), redis.call('LINDEX', KEYS[5], -1) or ''}
end

redis.call('HSET', KEYS[2], 'version', ARGV[2], 'stage', ARGV[3], 'body', ARGV[4])
redis.call('HDEL', KEYS[2], 'shown', 'ended')
redis.call('EXPIREAT', KEYS[2], ARGV[5])
local ended = 0
local open = redis.call('HGET', KEYS[3], 'number') or ''
if open ~= ARGV[6] then
  if open ~= '' then ended = 1 end
  redis.call('DEL', KEYS[4])
  redis.call('HDEL', KEYS[3], 'number', 'secret')
  if ARGV[6] ~= '' then redis.call('HSET', KEYS[3], 'number', ARGV[6], 'secret', ARGV[7]) end
end
if ARGV[3] == 'workshop' then redis.call('HSETNX', KEYS[3], 'objections', ARGV[8]) end
redis.call('EXPIREAT', KEYS[3], expires)
if ARGV[9] ~= '' then
  redis.call('RPUSH', KEYS[5], ARGV[9])
  redis.call('EXPIREAT', KEYS[5], expires)
end
return {'done', ended}
