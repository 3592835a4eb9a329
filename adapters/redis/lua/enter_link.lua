-- Puts a person who comes by the open link on the roster, and keeps what their return code is found
-- by, unless as many people as allowed came by it. The same person again changes nothing.
--
-- KEYS     1 round  2 roster  3 links  4 index of links
-- ARGV     1 now, unix seconds  2 hash of the open link  3 person  4 entry in the roster
--          5 link of the person  6 hash of their return code
-- RETURNS  {"done"}, {"gone"}, {"draft"}, {"closed"}, {"unlinked"}: this is not the open link,
--          or {"full"}
local round = redis.call('HMGET', KEYS[1], 'state', 'closes')
if not round[1] then return {'gone'} end
if redis.call('HGET', KEYS[4], ARGV[6]) == ARGV[3] then return {'done'} end
if round[1] == 'draft' then return {'draft'} end
if round[1] == 'closed' or tonumber(ARGV[1]) >= tonumber(round[2]) then return {'closed'} end
local open = redis.call('HGET', KEYS[3], 'open')
if not open or redis.call('HGET', KEYS[4], ARGV[2]) ~= 'open' then return {'unlinked'} end
local used = tonumber(redis.call('HGET', KEYS[3], 'used') or 0)
if used >= cjson.decode(string.match(open, '^%d+ (.*)$')).m then return {'full'} end

redis.call('HINCRBY', KEYS[3], 'used', 1)
redis.call('HSET', KEYS[2], ARGV[3], ARGV[4])
redis.call('HSET', KEYS[3], ARGV[3], ARGV[5])
redis.call('HSET', KEYS[4], ARGV[6], ARGV[3])
local expires = redis.call('EXPIRETIME', KEYS[1])
for i = 2, 4 do redis.call('EXPIREAT', KEYS[i], expires) end
return {'done'}
