-- Replaces a round and appends the audit entry, if the round's version is still the one the change
-- was made from. A closed round stays closed. The same change again counts as made: its reply was
-- lost.
--
-- KEYS     1 round  2 secret  3 roster  4 responses  5 queue  6 planned  7 zones  8 audit
--          9 links  10 index of links  11... of the workshop
-- ARGV     1 version before the change  2 version after it  3 state  4 closing time, unix seconds
--          5 body  6 expiry, unix seconds  7 entry, or empty  8 its number
-- RETURNS  {"done", moved}: moved is 1 when responses and indexes may have another expiry, else 0;
--          {"gone"}, {"closed"}, {"changed"} or {"behind", number of entries, the last entry}
local kept = redis.call('HMGET', KEYS[1], 'version', 'state', 'body')
if not kept[1] then return {'gone'} end
if kept[1] == ARGV[2] and kept[2] == ARGV[3] and kept[3] == ARGV[5] then return {'done', 1} end
if kept[2] == 'closed' and ARGV[3] ~= 'closed' then return {'closed'} end
if kept[1] ~= ARGV[1] or kept[2] ~= 'closed' and ARGV[3] == 'closed' then return {'changed'} end
if ARGV[7] ~= '' and redis.call('LLEN', KEYS[8]) ~= ARGV[8] - 1 then
  return {'behind', redis.call('LLEN', KEYS[8]), redis.call('LINDEX', KEYS[8], -1) or ''}
end
local moved = 1
if redis.call('EXPIRETIME', KEYS[1]) == tonumber(ARGV[6]) then moved = 0 end

redis.call('HSET', KEYS[1], 'version', ARGV[2], 'state', ARGV[3], 'closes', ARGV[4],
  'body', ARGV[5])
if ARGV[7] ~= '' then redis.call('RPUSH', KEYS[8], ARGV[7]) end
for i = 1, #KEYS do redis.call('EXPIREAT', KEYS[i], ARGV[6]) end
return {'done', moved}
