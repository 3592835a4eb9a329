package redis

import goredis "github.com/redis/go-redis/v9"

// passHook is a hook that changes nothing. Hooks of tests contain it, and have the methods that they
// change.
type passHook struct{}

func (passHook) DialHook(next goredis.DialHook) goredis.DialHook { return next }

func (passHook) ProcessHook(next goredis.ProcessHook) goredis.ProcessHook { return next }

func (passHook) ProcessPipelineHook(next goredis.ProcessPipelineHook) goredis.ProcessPipelineHook {
	return next
}
