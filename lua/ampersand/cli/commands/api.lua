--- `ampersand api`: any request.

local input = require "ampersand.cli.input"
local exit = require "ampersand.cli.exit"
local query_string = require "ampersand.util.query_string"
local show = require "ampersand.cli.show"

local api = {
  arguments = {
    { name = "method", description = "GET, POST, PUT, PATCH, DELETE …" },
    { name = "path", description = "Below the base URL; escape ids in it yourself." },
  },
  usage = "<method> <path> ",
  epilog = [[
Examples:
  ampersand api GET /projects
  ampersand api GET '/projects/my-project/connections?provider=hubspot' --yaml
  ampersand api POST /projects/my-project/topics -f name=changes]],
}

--- The options of a request.
api.REQUEST = {
  { "--query", "name=value of the query; may be given several times.", "<pair>", several = true },
  { "-H --header", "'Name: value'; may be given several times.", "<header>", several = true },
  { "-f --field", "name=text or name:=JSON of the body.", "<field>", several = true },
  "body",
}

api.options = {
  api.REQUEST,
  { "--server", "Another of the vendor's servers.", choices = { "read", "write", "search" } },
  "formats",
}

--- What the arguments ask for.
---@return string method, string path, table given options of client:request
function api.request(args)
  local given = {
    query = input.pairs(args.query, "^([^=]+)=(.*)$", "--query %q: expected name=value"),
    headers = input.headers(args.header), body = input.body(args),
  }
  local path, query = args.path:match "^([^?]*)%??(.*)$"
  query_string.read(query, given.query)
  return args.method:upper(), path:sub(1, 1) == "/" and path or "/" .. path, given
end

--- Sends a request and shows its answer.
---@param way string the client's method, "request" or "proxy"
function api.send(ctx, way, method, path, given)
  local client = ctx:client()
  local value = exit.checked(client[way], client, method, path, given)
  if value == true then return ctx:note "done, without an answer" end
  show.json(ctx, value)
end

function api.run(ctx)
  local method, path, given = api.request(ctx.args)
  given.server = ctx.args.server
  ctx:require_credentials "any"
  api.send(ctx, "request", method, path, given)
end

return api
