package host

import "github.com/nanoring/nanoring/core"

// say passes a command of messages on: first what it has beside its parameters.
func (e *Engine) say(mono, wall uint64, c core.Command) (err error) {
	text := func(key string, values ...string) {
		for _, value := range values {
			if err == nil {
				err = e.set(callText, key, value, 0)
			}
		}
	}
	switch c.Op {
	case core.SendMessage, core.Ask:
		text("match", c.Filter.Terms()...)
	case core.Hear:
		text("hear", c.Hear.Messages...)
		text("answer", c.Hear.Questions...)
	}
	if err != nil {
		return err
	}
	name := c.Name
	if c.Op != core.Tell {
		name = ""
	}
	at, behind, err := e.put(name, c.Topic+c.Payload)
	if err != nil {
		return err
	}
	args := []uint64{mono, wall, c.ID}
	put := func(at uint64, s string) { args = append(args, at, uint64(len(s))) }
	switch c.Op {
	case core.SendMessage:
		put(behind, c.Topic)
		put(behind+uint64(len(c.Topic)), c.Payload)
		_, err = e.call(callSendMessage, args...)
	case core.Tell:
		put(at, name)
		put(behind, c.Topic)
		put(behind+uint64(len(c.Topic)), c.Payload)
		_, err = e.call(callTell, args...)
	case core.Ask:
		put(behind, c.Topic)
		put(behind+uint64(len(c.Topic)), c.Payload)
		_, err = e.call(callAsk, append(args, uint64(uint32(min(max(c.Limit, -1), 1<<31-1))), uint64(c.Timeout))...)
	case core.CallOff:
		_, err = e.call(callCallOff, append(args, c.Question)...)
	case core.Answer:
		args = append(args, c.Question, uint64(c.Code))
		put(behind+uint64(len(c.Topic)), c.Payload)
		_, err = e.call(callAnswer, args...)
	case core.Hear:
		_, err = e.call(callHear, args...)
	}
	return err
}
