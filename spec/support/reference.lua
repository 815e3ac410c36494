-- The reference's sources: what the comments of the public modules say, in LDoc's words. The annotations are those that
-- editors read (LuaCATS), which LDoc does not know; every item becomes a comment of its own, without code.
--
--     lua spec/support/reference.lua build/docs/source        writes the files and LDoc's settings beside them

local reference = {}

--- The public modules, in reading order.
reference.MODULES = {
  "ampersand", "ampersand.client", "ampersand.client.iterator", "ampersand.client.error", "ampersand.cancel", "ampersand.client.proxy",
  "ampersand.record", "ampersand.webhook", "ampersand.jwt", "ampersand.time", "ampersand.json", "ampersand.fleet.wait",
  "ampersand.fleet.watch", "ampersand.fleet.explain", "ampersand.fleet.edit", "ampersand.fleet.undo",
  "ampersand.cache", "ampersand.gate", "ampersand.receiver", "ampersand.metrics",
  "ampersand.transport.curl", "ampersand.transport.nginx", "ampersand.loop.frame", "ampersand.mock", "ampersand.types",
}

local function path_of(module)
  return "lua/" .. module:gsub("%.", "/") .. ".lua"
end

-- Blocks of doc comments with the first line of code after them, if it follows at once; and functions without one.
local function blocks(text)
  local list, current = {}, nil
  for line in (text .. "\n"):gmatch "([^\n]*)\n" do
    local comment = line:match "^%-%-%-?(.*)$"
    if current and comment then
      table.insert(current.lines, comment)
    elseif line:find "^%-%-%-" then
      current = { lines = { comment } }
      list[#list + 1] = current
    else
      if current then current.code = line end
      if not current and line:find "^function " then list[#list + 1] = { lines = {}, code = line } end
      current = comment and { lines = {}, hidden = true } or nil
    end
  end
  return list
end

-- Splits "string? its id" or "fun(a: b): c, d what" after its type: brackets may hold spaces, and so may what follows
-- a comma, a colon or a bar.
function reference.split_type(text)
  local depth, i = 0, 1
  while i <= #text do
    local c = text:sub(i, i)
    if c:find "[%(%[{<]" then depth = depth + 1 elseif c:find "[%)%]}>]" then depth = depth - 1 end
    if c == " " and depth == 0 and not text:sub(1, i - 1):find "[:,|]$" and not text:find("^ ?|", i) then break end
    i = i + 1
  end
  return text:sub(1, i - 1), (text:sub(i):gsub("^%s+", ""))
end

-- One block -> description, tags; a tag is { name, text }.
local function parse(block)
  local description, tags = {}, {}
  for _, line in ipairs(block.lines) do
    local tag, rest = line:match "^%s*@(%l+)%s*(.*)$"
    local for_readers = tag ~= "meta" and not line:find "^ luacheck:"
    if tag and for_readers then
      tags[#tags + 1] = { tag, rest }
    elseif #tags > 0 and line:find "%S" then
      tags[#tags][2] = tags[#tags][2] .. " " .. line:match "^[%-%s]*(.*)$"
    elseif #tags == 0 and for_readers then
      description[#description + 1] = line
    end
  end
  return description, tags
end

-- "function Client:call(id, params)" -> "Client:call", { "id", "params" }; "ampersand.null = core.null" -> a field
local function declaration(code)
  local name, arguments = (code or ""):match "^function ([%w_.:]+)%((.-)%)"
  if not name then return (code or ""):match "^([%w_]+%.[%w_]+) = " end
  local list = {}
  for argument in arguments:gmatch "[%w_.]+" do list[#list + 1] = argument end
  return name, list
end

-- Public are the functions of what a module returns and the methods of its classes; those of other tables fulfil a
-- contract that is described where the contract is.
local function public_items(text, items)
  local public = { [text:match "return (%w+)%s*$" or text:match "return setmetatable%((%w+)" or ""] = true }
  for _, item in ipairs(items) do
    if item.class and item.code then public[item.code:match "^local ([%w_]+) = " or ""] = true end
  end
  local list = {}
  for _, item in ipairs(items) do
    local owner, name = item.name:match "^([%w_]+)[.:](.*)$"
    if item.class or (public[owner] and name:sub(1, 1) ~= "_") then list[#list + 1] = item end
  end
  return list
end

--- Reads one module: its own description, functions, fields and classes.
---@param module string
---@param text string? instead of the module's file
---@return table
function reference.read(module, text)
  if not text then
    local file = assert(io.open(path_of(module), "rb"))
    text = file:read "*a"
    file:close()
  end
  local found = { name = module, items = {} }
  for i, block in ipairs(blocks(text)) do
    local description, tags = parse(block)
    local name, arguments = declaration(block.code)
    local class
    for _, tag in ipairs(tags) do
      if tag[1] == "class" then class = tag[2]:match "^[^%s:]+" end
    end
    local item = {
      description = description, tags = tags, class = class, name = class or name, arguments = arguments,
      code = block.code,
    }
    if i == 1 and not name and not class then
      found.description = description
    elseif not item.name and #tags == 0 and block.code == "" and not found.description then
      found.description = description
    elseif item.name and not block.hidden then
      found.items[#found.items + 1] = item
    end
  end
  found.items = public_items(text, found.items)
  return found
end

-- What every one of them must have.
local function complaints(module, item, list)
  local function complain(what) list[#list + 1] = ("%s: %s: %s"):format(module, item.name, what) end
  if not table.concat(item.description):find "%S" and not item.class then complain "no description" end
  local documented = {}
  for _, tag in ipairs(item.tags) do
    if tag[1] == "param" then documented[tag[2]:match "^[%w_.]+" or ""] = true end
  end
  for _, argument in ipairs(item.arguments or {}) do
    if argument ~= "self" and not argument:find "^_" and argument ~= "..." and not documented[argument] then
      complain("the parameter " .. argument .. " is not described")
    end
    documented[argument] = nil
  end
  for name in pairs(documented) do
    if item.arguments and name ~= "..." and name ~= "" then complain("there is no parameter " .. name) end
  end
end

--- What of a module is public and not documented.
---@param module table what `read` answers
---@return string[]
function reference.complaints(module)
  local list = {}
  if not module.description or not table.concat(module.description):find "%S" then
    list[1] = module.name .. ": the module has no description"
  end
  for _, item in ipairs(module.items) do complaints(module.name, item, list) end
  return list
end

--- What is public and not documented in all modules.
---@return string[]
function reference.problems()
  local list = {}
  for _, name in ipairs(reference.MODULES) do
    for _, problem in ipairs(reference.complaints(reference.read(name))) do list[#list + 1] = problem end
  end
  return list
end

-- --- writing -----------------------------------------------------------------------------------

-- LDoc's own marks are @ and backticks; the rest is HTML.
local function html(text)
  text = text:gsub("&", "&amp;"):gsub("<", "&lt;"):gsub(">", "&gt;"):gsub("@", "&#64;")
  return (text:gsub("`([^`]*)`", "<code>%1</code>"):gsub("`", "&#96;"))
end

-- Paragraphs and indented code.
local function describe(out, lines)
  local code
  for i, line in ipairs(lines) do
    local indented = line:match "^     (.*)$"
    line = html(indented or line:gsub("^ ", ""))
    if indented and not code then line = "<pre>" .. line end
    if code and not indented then line = "</pre>" .. line end
    if not indented and line == "" then line = "<p>" end
    code = indented
    out((i == 1 and "--- " or "-- ") .. line)
  end
  if code then out "-- </pre>" end
end

local function typed(text)
  local kind, rest = reference.split_type(text)
  if kind == "" then return html(rest) end
  return ("<code>%s</code> %s"):format(html(kind), html(rest))
end

local function write_tag(out, tag)
  local name, text = tag[1], tag[2]
  if name == "param" or name == "field" then
    local key, rest = text:match "^([^%s?]+%??)%s*(.*)$"
    out(("-- @%s %s %s"):format(name, key:gsub("%?$", ""), (key:find "%?$" and "optional " or "") .. typed(rest)))
  elseif name == "return" then
    out("-- @return " .. typed(text))
  end
end

local function is_function(item)
  local found = item.arguments
  for _, tag in ipairs(item.tags) do
    found = found or tag[1] == "param" or (tag[1] == "type" and tag[2]:find "^fun")
  end
  return found
end

local function write_item(out, item)
  describe(out, #item.description > 0 and item.description or { item.name })
  if item.class then
    out("-- @table " .. item.class)
  else
    out("-- @class " .. (is_function(item) and "function" or "field") .. "\n-- @name " .. item.name)
  end
  for _, tag in ipairs(item.tags) do write_tag(out, tag) end
  out ""
end

--- One module in LDoc's words.
---@param name string
---@return string
function reference.source(name)
  local module, lines = reference.read(name), {}
  local function out(line) lines[#lines + 1] = line end
  describe(out, module.description)
  out("-- @module " .. name .. "\n")
  for _, item in ipairs(module.items) do
    write_item(out, item)
  end
  return table.concat(lines, "\n") .. "\n"
end

-- LDoc's settings: the order is ours.
local function settings()
  local files = {}
  for i, name in ipairs(reference.MODULES) do files[i] = ("  %q,"):format(name .. ".lua") end
  return table.concat({
    'project, title = "ampersand", "ampersand: reference"',
    'description = "A Lua client for the Ampersand API"',
    "no_space_before_args = true",
    "file = {", table.concat(files, "\n"), "}", "",
  }, "\n")
end

local function write(path, text)
  local file = assert(io.open(path, "wb"))
  assert(file:write(text))
  assert(file:close())
end

--- Writes all sources, and config.ld, into a directory that is there.
---@param directory string
function reference.write(directory)
  for _, name in ipairs(reference.MODULES) do write(directory .. "/" .. name .. ".lua", reference.source(name)) end
  write(directory .. "/config.ld", settings())
end

if arg and arg[0] and arg[0]:find "reference%.lua$" then
  local problems = reference.problems()
  for _, problem in ipairs(problems) do io.stderr:write(problem, "\n") end
  if #problems > 0 then os.exit(1) end
  reference.write(assert(arg[1], "usage: reference.lua DIRECTORY"))
end

return reference
