-- Finishes a workshop: keeps with the assessment how many people of each role were there and how
-- many objected to each rating, deletes who was there, who objected and the open ballot, and appends
-- the audit entry. The same change again counts as made: its reply was lost.
--
-- KEYS     1 round  2 assessment  3 ballot  4 votes  5 attendance  6 objections  7 audit
-- ARGV     1 version before the change  2 version after it  3 when it ends (RFC 3339)
--          4 expiry of the assessment, unix seconds
--          5 how many people must have been there for objections to be kept
--          6 entry, or empty  7 its number
-- RETURNS  {"done", version, stage, body, shown, ended}, {"gone"}, {"none"}: no assessment,
--          {"changed"}, {"stage"} or {"behind", number of entries, the last entry}
local expires = redis.call('EXPIRETIME', KEYS[1])
if expires < 0 then return {'gone'} end
local function done()
  local kept = redis.call('HMGET', KEYS[2], 'version', 'stage', 'body', 'shown', 'ended')
  return {'done', kept[1], kept[2], kept[3], kept[4], kept[5]}
end
local kept = redis.call('HMGET', KEYS[2], 'version', 'stage', 'ended')
if not kept[1] then return {'none'} end
local at = '{"at":"' .. ARGV[3] .. '",'
if kept[1] == ARGV[2] and kept[3] and string.sub(kept[3], 1, #at) == at then return done() end
if kept[1] ~= ARGV[1] then return {'changed'} end
if kept[2] ~= 'workshop' then return {'stage'} end
if ARGV[6] ~= '' and redis.call('LLEN', KEYS[7]) ~= ARGV[7] - 1 then
  return {'behind', redis.call('LLEN', KEYS[7]), redis.call('LINDEX', KEYS[7], -1) or ''}
end

local function encode(counts) return next(counts) and cjson.encode(counts) or '{}' end
local attendance = {}
local people = 0
local roles = redis.call('HGETALL', KEYS[5])
for i = 2, #roles, 2 do
  local role = string.match(roles[i], '^(.*) %S*$')
  attendance[role] = (attendance[role] or 0) + 1
  people = people + 1
end
local objections = {}
if people >= tonumber(ARGV[5]) then
  local all = redis.call('HGETALL', KEYS[6])
  for i = 1, #all, 2 do
    local element = string.match(all[i], '^(.*) %S+$')
    objections[element] = (objections[element] or 0) + 1
  end
end
redis.call('HSET', KEYS[2], 'stage', 'agreed', 'version', ARGV[2], 'ended',
  at .. '"expiresAt":' .. ARGV[4] .. ',"attendance":' .. encode(attendance) ..
  ',"objections":' .. encode(objections) .. '}')
redis.call('EXPIREAT', KEYS[2], ARGV[4])
redis.call('DEL', KEYS[3], KEYS[4], KEYS[5], KEYS[6])
if ARGV[6] ~= '' then
  redis.call('RPUSH', KEYS[7], ARGV[6])
  redis.call('EXPIREAT', KEYS[7], expires)
end
return done()
