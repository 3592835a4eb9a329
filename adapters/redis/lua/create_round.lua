-- Keeps a new round, its secret and the first entry of its audit log. It changes nothing when the
-- round exists.
--
-- KEYS     1 round  2 secret  3 audit
-- ARGV     1 version  2 state  3 closing time, unix seconds  4 body  5 secret
--          6 expiry, unix seconds  7 entry, or empty  8 its number
--          9 salt of the marks in the ledger
-- RETURNS  {"done"} or {"behind", number of entries, the last entry}
if redis.call('EXISTS', KEYS[1]) == 1 then return {'done'} end
if ARGV[7] ~= '' and redis.call('LLEN', KEYS[3]) ~= ARGV[8] - 1 then
  return {'behind', redis.call('LLEN', KEYS[3]), redis.call('LINDEX', KEYS[3], -1) or ''}
end

redis.call('HSET', KEYS[1], 'version', ARGV[1], 'state', ARGV[2], 'closes', ARGV[3],
  'body', ARGV[4], 'salt', ARGV[9])
redis.call('SET', KEYS[2], ARGV[5])
if ARGV[7] ~= '' then redis.call('RPUSH', KEYS[3], ARGV[7]) end
redis.call('EXPIREAT', KEYS[1], ARGV[6])
redis.call('EXPIREAT', KEYS[2], ARGV[6])
redis.call('EXPIREAT', KEYS[3], ARGV[6])
return {'done'}
