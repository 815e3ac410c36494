-- The grammar of a line of lua/ampersand/client/operations.lua, which stands there. The library reads lines that this
-- accepts, and checks nothing.

local grammar = {}

local function set(words)
  local names = {}
  for word in words:gmatch "%S+" do names[word] = true end
  return names
end

local METHODS, SERVERS = set "GET POST PUT PATCH DELETE", set "read write search"
local CREDENTIALS, SHAPES = set "bearer key none", set "T [T] {T} results[T] text -"
local PATHS = set "$PROJECT $INTEGRATION $INSTALLATION"

local function expect(found, part, line)
  if not found then error(("bad operation line (%s): %s"):format(part, line), 0) end
  return found
end

local function check_names(list, part, line)
  local seen = {}
  for item in (list .. ","):gmatch "(.-)," do
    local name = expect(item:match "^([%w%.|]+)!?$", part, line)
    expect(not seen[name], part, line)
    seen[name] = true
  end
end

local function check_target(target, line)
  local server, rest = target:match "^(%l+):(.*)$"
  expect(not server or SERVERS[server], "server", line)
  local path, query = (rest or target):match "^(.-){%?([^{}]+)}$"
  path = path or rest or target
  local begins = path:match "^%$%u+"
  expect(not begins or PATHS[begins], "path", line)
  expect(path:gsub("^%$%u+", "/x"):gsub("{%a%w*}", ""):find "^/[^{}?]*$", "path", line)
  if query then check_names(query, "query", line) end
end

--- Raises, with the part that is bad, when a line breaks the grammar.
---@param line string
function grammar.check(line)
  local method, target, middle, answer = line:match "^%l%w* (%u+) (%S+) (.-)%-> (.+)$"
  expect(METHODS[method or ""], "head", line)
  check_target(target, line)
  local has_body = false
  for word in middle:gmatch "%S+" do
    local credential, body = word:match "^@(%l+)$", word:match "^{([^{}]+)}%??$"
    expect(CREDENTIALS[credential or ""] or (body and not has_body), credential and "auth" or "body", line)
    if body then check_names(body, "body", line) end
    has_body = has_body or body ~= nil
  end
  local shape, flag = answer:match "^2%d%d (%S+) ?(%l*)$"
  expect(shape and (flag == "" or flag == "dropped"), "answer", line)
  expect(SHAPES[(shape:gsub("%u[%w|]*", "T"))], "shape", line)
end

return grammar
