--- `ampersand webhook`: verifies messages, sends and receives them for tests.

local options = require "ampersand.cli.options"

local webhook = {
  summary = "Webhooks: verify a message, send one, listen for them.",
  epilog = [[
Examples:
  ampersand webhook listen --port 9000 --forward-to http://127.0.0.1:3000/hooks
  ampersand webhook send http://127.0.0.1:9000/ --event subscribe.update]],
}

local VERBS = {
  verify = require "ampersand.cli.commands.webhook_verify", send = require "ampersand.cli.commands.webhook_send",
  listen = require "ampersand.cli.commands.webhook_listen", events = require "ampersand.cli.commands.webhook_events",
}

function webhook.declare(command)
  command:command_target "verb"
  for _, name in ipairs { "verify", "send", "listen", "events" } do
    local verb = VERBS[name]
    local added = options.command(command, name, verb.summary):description(verb.summary)
    options.usage(added, verb.usage)
    verb.declare(added)
    added:epilog(verb.epilog)
  end
end

function webhook.run(ctx)
  return VERBS[ctx.args.verb].run(ctx)
end

return webhook
