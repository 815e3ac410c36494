-- The require graph of lua/: modules require lower layers only, without cycles. `lua5.4 .ci/layers.lua` prints the
-- layers and the violations, and fails if there are any.

-- From the bottom up. A module belongs to the longest prefix that names it; public modules stand where they are used.
local LAYERS = {
  { "C", "ampersand.core", "ampersand.http", "ampersand.crypto" },
  { "util", "ampersand.util", "ampersand.version", "ampersand.cancel", "ampersand.time" },
  { "transport", "ampersand.transport", "ampersand.loop" },
  { "client", "ampersand.client", "ampersand.json", "ampersand.jwt", "ampersand.webhook", "ampersand.record" },
  { "fleet", "ampersand.fleet" },
  { "hosts", "ampersand.gate", "ampersand.cache", "ampersand.receiver", "ampersand.metrics", "ampersand.mock",
    "ampersand" },
  { "cli", "ampersand.cli" },
}
-- What is required when it is used may stand higher: the facade's public modules, and the verbs of client/resource.
local LAZY = { ["ampersand"] = true, ["ampersand.client.resource"] = true }
-- Below the fleet a function requires a module only where a user sees the boundary: by what call, or by which option.
local BOUNDARIES = {
  ["ampersand"] = "a name of the facade",
  ["ampersand.client"] = "client:call and the like, the options bearer and transport, the first request",
  ["ampersand.client.resource"] = ":each and the like, :where, :select, verbs that give one value, or of the fleet",
  ["ampersand.client.list"] = "a paged list",
  ["ampersand.client.params"] = "a request with a body",
  ["ampersand.transport.curl"] = "the options loop and max_connections, client:poll, client:parallel, pages",
  ["ampersand.webhook"] = "webhook.results", ["ampersand.record"] = "recording without a transport of one's own",
}

local function rank_of(module)
  local best, length = nil, -1
  for rank, layer in ipairs(LAYERS) do
    for i = 2, #layer do
      local prefix = layer[i]
      local named = module == prefix or (prefix ~= "ampersand" and module:sub(1, #prefix + 1) == prefix .. ".")
      if named and #prefix > length then best, length = rank, #prefix end
    end
  end
  return best
end

local function files()
  local pipe = assert(io.popen "find lua -name '*.lua' ! -name types.lua | sort")
  local list = {}
  for path in pipe:lines() do list[#list + 1] = path end
  pipe:close()
  return list
end

-- { module = { [required] = "file" (when it is loaded) or "function" (when something is called) } }
local graph, problems = {}, {}
for _, path in ipairs(files()) do
  local module = path:match "^lua/(.*)%.lua$":gsub("/", ".")
  graph[module] = {}
  for line in io.lines(path) do
    local code = line:gsub("%-%-.*", "")
    for required in code:gmatch "require%s*%(?%s*[\"'](ampersand[%w_.]*)[\"']" do
      local where = code:find "^%S" and not code:find "%f[%w_]function%f[^%w_]" and "file" or "function"
      if graph[module][required] ~= "file" then graph[module][required] = where end
    end
    -- what is required when it is used stands in tables of names
    for named in code:gmatch(LAZY[module] and "[\"'](ampersand%.[%w_.]*%w)[\"']" or "^$") do
      graph[module][named] = graph[module][named] or "function"
    end
  end
  if not rank_of(module) then problems[#problems + 1] = module .. " belongs to no layer" end
end

for module, edges in pairs(graph) do
  for required, where in pairs(edges) do
    local from, to = rank_of(module), rank_of(required)
    if not graph[required] and to ~= 1 and not required:find "%.$" then -- a name is put together from a prefix
      problems[#problems + 1] = ("%s requires %s, which does not exist"):format(module, required)
    end
    if where == "function" and from and from < 5 and not BOUNDARIES[module] then
      problems[#problems + 1] = ("%s requires %s inside a function"):format(module, required)
    end
    if to and from and to > from and not (LAZY[module] and where == "function") then
      problems[#problems + 1] = ("%s (%s) requires %s (%s)"):format(module, LAYERS[from][1], required, LAYERS[to][1])
    end
  end
end

-- A circle: a path back to a module that is still being walked.
local state = {}
local function walk(module, path)
  if state[module] == "done" or not graph[module] then return end
  path[#path + 1] = module
  if state[module] then
    local circle = {}
    for i = #path - 1, 1, -1 do
      table.insert(circle, 1, path[i])
      if path[i] == module then break end
    end
    problems[#problems + 1] = "a circle: " .. table.concat(circle, " -> ") .. " -> " .. module
  else
    state[module] = "open"
    local names = {}
    for required, where in pairs(graph[module]) do
      if not (LAZY[module] and where == "function") then names[#names + 1] = required end
    end
    table.sort(names)
    for _, required in ipairs(names) do walk(required, path) end
    state[module] = "done"
  end
  path[#path] = nil
end
local modules = {}
for module in pairs(graph) do modules[#modules + 1] = module end
table.sort(modules)
for _, module in ipairs(modules) do walk(module, {}) end

for rank = #LAYERS, 1, -1 do
  local names = {}
  for _, module in ipairs(modules) do
    if rank_of(module) == rank then names[#names + 1] = module:gsub("^ampersand%.", "") end
  end
  if names[1] then print(("%-9s %s"):format(LAYERS[rank][1], table.concat(names, " "))) end
end
table.sort(problems)
for _, problem in ipairs(problems) do io.stderr:write("layers: ", problem, "\n") end
os.exit(#problems == 0)
