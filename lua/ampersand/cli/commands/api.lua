--- `ampersand api`: any request.

local input = require "ampersand.cli.input"
local options = require "ampersand.cli.options"
local exit = require "ampersand.cli.exit"
local show = require "ampersand.cli.show"

local api = {
  usage = "<method> <path> ",
  summary = "Send any request: ampersand api GET /projects.",
  epilog = [[
Examples:
  ampersand api GET /projects
  ampersand api GET '/projects/my-project/connections?provider=hubspot' --yaml
  ampersand api POST /projects/my-project/topics -f name=changes]],
}

--- Adds the arguments of a request.
---@param command table
---@param path string what the path is
function api.declare_request(command, path)
  command:argument "method":description "GET, POST, PUT, PATCH, DELETE …"
  command:argument "path":description(path)
end

--- Adds the options of a request.
function api.declare_options(command)
  options.several(command, "--query", "name=value of the query; may be given several times.", "<pair>")
  options.header(command, "'Name: value'; may be given several times.")
  options.body(command, "name=text or name:=JSON of the body.")
end

function api.declare(command)
  api.declare_request(command, "Below the base URL; escape ids in it yourself.")
  api.declare_options(command)
  command:option("--server", "Another of the vendor's servers."):choices { "read", "write", "search" }
  options.formats(command)
end

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
  ctx:require_credentials { auth = "any" }
  api.send(ctx, "request", method, path, given)
end

return api
