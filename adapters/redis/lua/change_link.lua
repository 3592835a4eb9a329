-- Replaces a personal link, or the open link, and what it is found by, if it is still the one the
-- change was made from, and appends the audit entry. The same change again counts as made: its reply
-- was lost.
--
-- KEYS     1 round  2 links  3 index of links  4 audit
-- ARGV     1 field of the link: a person, or "open"  2 what the index says it leads to
--          3 link before the change, or empty  4 link after it, or empty
--          5 hash before the change, or empty  6 hash after it, or empty
--          7 entry, or empty  8 its number
-- RETURNS  {"done"}, {"gone"}, {"closed"}, {"changed"}
--          or {"behind", number of entries, the last entry}
local state = redis.call('HGET', KEYS[1], 'state')
if not state then return {'gone'} end
if state == 'closed' then return {'closed'} end
local kept = redis.call('HGET', KEYS[2], ARGV[1]) or ''
if kept == ARGV[4] and ARGV[3] ~= ARGV[4] then return {'done'} end
if kept ~= ARGV[3] then return {'changed'} end
if ARGV[7] ~= '' and redis.call('LLEN', KEYS[4]) ~= ARGV[8] - 1 then
  return {'behind', redis.call('LLEN', KEYS[4]), redis.call('LINDEX', KEYS[4], -1) or ''}
end

if ARGV[5] ~= '' then redis.call('HDEL', KEYS[3], ARGV[5]) end
if ARGV[6] ~= '' then redis.call('HSET', KEYS[3], ARGV[6], ARGV[2]) end
if ARGV[4] == '' then
  redis.call('HDEL', KEYS[2], ARGV[1])
else
  redis.call('HSET', KEYS[2], ARGV[1], ARGV[4])
end
if ARGV[7] ~= '' then redis.call('RPUSH', KEYS[4], ARGV[7]) end
local expires = redis.call('EXPIRETIME', KEYS[1])
for i = 2, 4 do redis.call('EXPIREAT', KEYS[i], expires) end
return {'done'}
