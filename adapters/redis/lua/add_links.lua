-- Keeps new personal links with the next numbers, puts their people on the roster, and appends the
-- audit entry. If the first link is there already, all of them are: the reply was lost.
--
-- KEYS     1 round  2 roster  3 links  4 index of links  5 audit
-- ARGV     1 now, unix seconds  2 the most links that a round may have
--          3 entry, or empty  4 its number
--          5... person, entry in the roster, place among these links from 0, link, hash
-- RETURNS  {"done", number of the link with the place 0}, {"gone"}, {"draft"}, {"closed"}, {"crowd"}
--          or {"behind", number of entries, the last entry}
local round = redis.call('HMGET', KEYS[1], 'state', 'closes')
if not round[1] then return {'gone'} end
if #ARGV == 4 then return {'done', 0} end -- no links
local kept = redis.call('HGET', KEYS[3], ARGV[5])
if kept then return {'done', tonumber(string.match(kept, '^%d+')) - ARGV[7]} end
if round[1] == 'draft' then return {'draft'} end
if round[1] == 'closed' or tonumber(ARGV[1]) >= tonumber(round[2]) then return {'closed'} end
local last = tonumber(redis.call('HGET', KEYS[3], 'last') or 0)
local links = (#ARGV - 4) / 5
if last + links > tonumber(ARGV[2]) then return {'crowd'} end
if ARGV[3] ~= '' and redis.call('LLEN', KEYS[5]) ~= ARGV[4] - 1 then
  return {'behind', redis.call('LLEN', KEYS[5]), redis.call('LINDEX', KEYS[5], -1) or ''}
end

for i = 5, #ARGV, 5 do
  redis.call('HSET', KEYS[2], ARGV[i], ARGV[i + 1])
  redis.call('HSET', KEYS[3], ARGV[i],
    string.format('%d %s', last + 1 + ARGV[i + 2], ARGV[i + 3]))
  redis.call('HSET', KEYS[4], ARGV[i + 4], ARGV[i])
end
redis.call('HSET', KEYS[3], 'last', string.format('%d', last + links))
if ARGV[3] ~= '' then redis.call('RPUSH', KEYS[5], ARGV[3]) end
local expires = redis.call('EXPIRETIME', KEYS[1])
for i = 2, 5 do redis.call('EXPIREAT', KEYS[i], expires) end
return {'done', last + 1}
