--- `ampersand api`: any request.

local input = require "ampersand.cli.input"
local exit = require "ampersand.cli.exit"
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

-- Takes the query off a path: "/a?b=c" -> "/a", and b=c into `query`.
local function split_path(path, query)
  local bare, text = path:match "^([^?]*)%??(.*)$"
  for part in text:gmatch "[^&]+" do
    local name, value = part:match "^([^=]+)=?(.*)$"
    if name then
      query[name] = value:gsub("%+", " "):gsub("%%(%x%x)", function(hex) return string.char(tonumber(hex, 16)) end)
    end
  end
  return bare
end

--- What the arguments ask for.
---@return string method, string path, table given options of client:request
function api.request(args)
  local given = {
    query = input.pairs(args.query, "^([^=]+)=(.*)$", "--query %q: expected name=value"),
    headers = input.headers(args.header), body = input.body(args),
  }
  local path = args.path:sub(1, 1) == "/" and args.path or "/" .. args.path
  return args.method:upper(), split_path(path, given.query), given
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
