-- Keeps a new round and its secret. A round that is there already is left as it is.
--
-- KEYS  1 round  2 secret
-- ARGV  1 version  2 state  3 closing time, unix seconds  4 body  5 secret  6 expiry, unix seconds
-- Returns {"done"}.
if redis.call('EXISTS', KEYS[1]) == 1 then return {'done'} end

redis.call('HSET', KEYS[1], 'version', ARGV[1], 'state', ARGV[2], 'closes', ARGV[3], 'body', ARGV[4])
redis.call('SET', KEYS[2], ARGV[5])
redis.call('EXPIREAT', KEYS[1], ARGV[6])
redis.call('EXPIREAT', KEYS[2], ARGV[6])
return {'done'}
