-- The reference: what the comments of the public modules say, as HTML. The annotations are those that editors read
-- (LuaCATS).
--
--     lua spec/support/reference.lua build/docs        writes the pages

local reference = {}

--- The public modules, in reading order.
reference.MODULES = {
  "ampersand", "ampersand.client", "ampersand.client.iterator", "ampersand.client.error", "ampersand.cancel", "ampersand.client.proxy",
  "ampersand.record", "ampersand.webhook", "ampersand.jwt", "ampersand.time", "ampersand.json", "ampersand.fleet.wait",
  "ampersand.fleet.watch", "ampersand.fleet.explain", "ampersand.fleet.edit", "ampersand.fleet.undo", "ampersand.fleet.deploy",
  "ampersand.fleet.report",
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
      if tag[1] == "class" or tag[1] == "alias" then class = tag[2]:match "^[^%s:]+" end
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

-- --- pages --------------------------------------------------------------------------------------

-- Pages of the library: title, module, and the names of its public items; without names all of them.
local LIBRARY = {
  { "ampersand", "ampersand" },
  { "client", "ampersand.client", "ampersand.Client", "^Client:" },
  { "stream", "ampersand.client.iterator", "ampersand.Stream", "^Stream:" },
  { "error", "ampersand.client.error", "ampersand.Error" },
  { "proxy", "ampersand.client.proxy", "ampersand.Answer", "^Answer:" },
  { "cancel", "ampersand.cancel", "ampersand.CancelToken", "^cancel%.", "^Token:cancel$" },
  { "record", "ampersand.record" }, { "webhook", "ampersand.webhook" }, { "jwt", "ampersand.jwt" },
  { "time", "ampersand.time" }, { "json", "ampersand.json" },
  { "watch", "ampersand.fleet.watch", "ampersand.Watch", "^Watch:" },
  { "explanation", "ampersand.fleet.explain", "ampersand.Explanation" },
  { "report", "ampersand.fleet.report", "ampersand.FleetReport", "^Report:" },
  { "cache", "ampersand.cache" }, { "gate", "ampersand.gate" }, { "receiver", "ampersand.receiver" },
  { "metrics", "ampersand.metrics" }, { "loop.frame", "ampersand.loop.frame" }, { "mock", "ampersand.mock", "^mock%.main$" },
}

-- Verbs that are more than one operation, and the functions that document them.
local VERBS = {
  installations = { { "ampersand.fleet.edit", "edit" }, { "ampersand.fleet.undo", "undo" },
    { "ampersand.fleet.watch", "watch" }, { "ampersand.fleet.explain", "explain" } },
  integrations = { { "ampersand.fleet.deploy", "deploy" } },
  operations = { { "ampersand.fleet.wait", "wait" } },
}

local function matches(name, patterns)
  if not patterns[3] then return true end
  for i = 3, #patterns do
    if name == patterns[i] or name:find(patterns[i]) then return true end
  end
  return false
end

local function find_item(module, name)
  for _, item in ipairs(reference.read(module).items) do
    if item.name == name then return item end
  end
  error(module .. ": no " .. name)
end

local function library_pages(pages)
  for _, entry in ipairs(LIBRARY) do
    local module, page = reference.read(entry[2]), { file = "module-" .. entry[1], title = entry[1], group = "Library", items = {} }
    page.description = module.description
    for _, item in ipairs(module.items) do
      if matches(item.name, entry) then page.items[#page.items + 1] = item end
    end
    pages[#pages + 1] = page
  end
end

-- The annotations: options and conditions, a page for each schema, a page for each resource.
local function type_pages(pages)
  local options = { file = "options", title = "options and where", group = "Library", items = {},
    description = { "Options of `ampersand.new` and of calls, and the conditions of `where`." } }
  local schemas, resources, page = {}, {}, nil
  for _, item in ipairs(reference.read("ampersand.types").items) do
    local resource = item.name:match "^ampersand%.resource%.([%l_]+)$"
    if resource then
      page = { file = "resource-" .. resource, title = resource, group = "Resources", items = {},
        description = { "Methods of `client." .. resource .. "`, and the fields that they take." } }
      resources[#resources + 1] = page
    elseif item.name == "ampersand.Client" then
      for _, other in ipairs(pages) do
        if other.title == "client" then
          for _, tag in ipairs(item.tags) do table.insert(other.items[1].tags, tag) end
        end
      end
    elseif page then
      page.items[#page.items + 1] = item
    elseif item.name:find "^ampersand%." then
      options.items[#options.items + 1] = item
    else
      schemas[#schemas + 1] = { file = "schema-" .. item.name, title = item.name, group = "Schemas", items = { item } }
    end
  end
  for _, each in ipairs(resources) do
    for _, verb in ipairs(VERBS[each.title] or {}) do
      local found = find_item(verb[1], verb[2] .. "." .. verb[2])
      found.name = each.title .. ":" .. verb[2]
      each.items[#each.items + 1] = found
    end
  end
  table.insert(pages, 3, options)
  for _, list in ipairs { resources, schemas } do
    for _, each in ipairs(list) do pages[#pages + 1] = each end
  end
end

-- Methods before the types of their fields.
local function functions_first(page)
  local items = {}
  for _, wanted in ipairs { true, false } do
    for _, item in ipairs(page.items) do
      if (item.class == nil) == wanted then items[#items + 1] = item end
    end
  end
  page.items = items
end

--- All pages but the first: `file`, `title`, `group`, `description`, `items`.
---@return table[]
function reference.pages()
  local pages = {}
  library_pages(pages)
  type_pages(pages)
  for _, page in ipairs(pages) do
    if page.group == "Resources" then functions_first(page) end
  end
  return pages
end

-- --- HTML ---------------------------------------------------------------------------------------

local function escape(text)
  return (text:gsub("&", "&amp;"):gsub("<", "&lt;"):gsub(">", "&gt;"):gsub('"', "&quot;"))
end

-- Text with code, emphasis and links.
local function html(text)
  text = escape(text):gsub("`([^`]*)`", "<code>%1</code>"):gsub("%*%*(.-)%*%*", "<strong>%1</strong>")
  return (text:gsub("%[([^%]]+)%]%((https?:[^)]+)%)", '<a href="%2">%1</a>'):gsub("%[([^%]]+)%]%([%w_./#-]+%)", "%1"))
end

-- Paragraphs; indented lines are code.
local function describe(out, lines)
  local text, code = {}, {}
  local function flush()
    if text[1] then out("<p>" .. html(table.concat(text, " ")) .. "</p>\n") end
    if code[1] then out("<pre><code>" .. escape(table.concat(code, "\n")) .. "</code></pre>\n") end
    text, code = {}, {}
  end
  for _, line in ipairs(lines or {}) do
    local indented = line:match "^   +(.*)$"
    if line == "" or (indented and text[1]) or (not indented and code[1]) then flush() end
    if indented then code[#code + 1] = indented elseif line:find "%S" then text[#text + 1] = line:match "^ ?(.*)$" end
  end
  flush()
end

-- A type, whose words lead to their pages.
local function typed(kind, links)
  return '<code class="type">' .. escape(kind):gsub("%a[%w_.]*", function(word)
    return links[word] and ('<a href="%s">%s</a>'):format(links[word], word)
  end) .. "</code>"
end

local function write_members(out, item, links)
  out "<dl>"
  for _, tag in ipairs(item.tags) do
    local name, text = tag[1], tag[2]
    if name == "param" or name == "field" then
      local key, mark, rest = text:match '^%["?(.-)"?%](%??)%s+(.*)$'
      if key then key = key .. mark end
      if not key then key, rest = text:match "^([^%s?]+%??)%s*(.*)$" end
      local kind, words = reference.split_type(rest)
      local optional = (key:find "%?$" or kind:find "%?$") and " optional" or ""
      key, kind = key:gsub("%?$", ""), kind:gsub("%?$", "")
      out(("<dt><code>%s</code> %s%s</dt><dd>%s</dd>\n"):format(escape(key), typed(kind, links), optional, html(words)))
    elseif name == "return" then
      while text do
        local kind, words = reference.split_type(text)
        local more = words:match "^[%w_]+, (.*)$"
        out(("<dt>returns %s</dt><dd>%s</dd>\n"):format(typed(kind, links), html(more and words:match "^[%w_]+" or words)))
        text = more
      end
    elseif name == "alias" then
      out(("<dt>%s</dt><dd></dd>"):format(typed(text:match "^%S+%s+(.*)$", links)))
    end
  end
  out "</dl>"
end

local function write_item(out, item, page, links)
  local heading = page.group == "Resources" and item.arguments and "client." .. item.name or item.name
  if item.arguments then heading = heading .. "(" .. table.concat(item.arguments, ", ") .. ")" end
  out(('<h2 id="%s"><code>%s</code></h2>'):format(html(item.name), html((heading:gsub("%(self,? ?", "(")))))
  describe(out, item.description)
  write_members(out, item, links)
end

local STYLE = [[
:root { color-scheme: light dark; }
body { font: 1rem/1.5 system-ui, sans-serif; margin: 0 auto; max-width: 72rem; padding: 1rem; }
header { margin-bottom: 1rem; }
nav ul { list-style: none; padding-left: .5rem; margin: .25rem 0; }
nav a, h2 code, dt code { overflow-wrap: anywhere; }
pre { background: #8882; border-radius: .25rem; padding: .75rem; white-space: pre-wrap; overflow-wrap: anywhere; }
h2 { font-size: 1.1rem; margin: 2rem 0 .5rem; border-top: 1px solid #8884; padding-top: 1rem; }
dt { margin-top: .5rem; } dd { margin-left: 1.5rem; }
.type { opacity: .8; }
@media (min-width: 50rem) {
  .page { display: grid; grid-template-columns: 15rem minmax(0, 1fr); gap: 2rem; }
  nav { grid-column: 1; grid-row: 1; }
  main { grid-column: 2; }
}
]]

local GROUPS = { "Library", "Resources", "Schemas" }

-- The links to all pages, by group.
local function lists_of(pages)
  local lists = {}
  for _, group in ipairs(GROUPS) do
    local parts = {}
    for _, page in ipairs(pages) do
      parts[#parts + 1] = page.group == group and ('<li><a href="%s.html">%s</a></li>'):format(page.file, html(page.title)) or nil
    end
    lists[group] = table.concat(parts)
  end
  return lists
end

local function navigation(out, lists, current)
  out '<nav id="contents">'
  for _, group in ipairs(GROUPS) do
    local list = lists[group]
    if group == current.group then
      local _, last = list:find(('href="%s.html"'):format(current.file), 1, true)
      list = list:sub(1, last) .. ' aria-current="page"' .. list:sub(last + 1)
    end
    local open = group == (current.group or "Library") and " open" or ""
    out(("<details%s><summary>%s</summary><ul>%s</ul></details>"):format(open, group, list))
  end
  out "</nav>"
end

local function document(lists, page, body)
  local parts = {}
  local function out(text) parts[#parts + 1] = text end
  out(('<!DOCTYPE html>\n<html lang="en">\n<head><meta charset="utf-8">'
    .. '<meta name="viewport" content="width=device-width, initial-scale=1">'
    .. '<title>%s - ampersand</title><link rel="stylesheet" href="style.css"></head>\n<body>\n'
    .. '<header><a href="index.html">ampersand</a> reference | <a href="#contents">contents</a></header>\n'
    .. '<div class="page">\n'):format(html(page.title)))
  out(("<main>\n<h1>%s</h1>\n"):format(html(page.title)))
  body(out)
  out "</main>\n"
  navigation(out, lists, page)
  out "</div>\n</body>\n</html>\n"
  return table.concat(parts, "")
end

-- A part of the README: paragraphs and blocks.
local function markdown(out, text)
  text = text:gsub("<!%-%-.-%-%->\n", "")
  local at = 1
  while at <= #text do
    local first, last, block = text:find("```%l*\n(.-)```\n", at)
    for paragraph in (text:sub(at, (first or #text + 1) - 1) .. "\n\n"):gmatch "%s*(%S.-)\n%s*\n" do
      out("<p>" .. html(paragraph) .. "</p>\n")
    end
    if not first then return end
    out("<pre><code>" .. escape(block) .. "</code></pre>\n")
    at = last + 1
  end
end

local read_file = require "support.read_file"

--- The whole reference: name of a file -> its text.
---@return table<string, string>
function reference.html()
  local pages, links, files = reference.pages(), {}, { ["style.css"] = STYLE }
  for _, page in ipairs(pages) do
    if page.group == "Resources" then links["ampersand.resource." .. page.title] = page.file .. ".html" end
    for _, item in ipairs(page.items) do
      if item.class then links[item.class] = page.file .. ".html#" .. item.class end
    end
  end
  local lists = lists_of(pages)
  for _, page in ipairs(pages) do
    files[page.file .. ".html"] = document(lists, page, function(out)
      describe(out, page.description)
      for _, item in ipairs(page.items) do write_item(out, item, page, links) end
    end)
  end
  local start = read_file "README.md":match "\n## Quick start\n(.-)\n## "
  files["index.html"] = document(lists, { title = "Quick start" }, function(out) markdown(out, start) end)
  return files
end

--- Writes the reference into a directory that is there.
---@param directory string
function reference.write(directory)
  for name, text in pairs(reference.html()) do
    local file = assert(io.open(directory .. "/" .. name, "wb"))
    assert(file:write(text))
    assert(file:close())
  end
end

if arg and arg[0] and arg[0]:find "reference%.lua$" then
  local problems = reference.problems()
  for _, problem in ipairs(problems) do io.stderr:write(problem, "\n") end
  if #problems > 0 then os.exit(1) end
  reference.write(assert(arg[1], "usage: reference.lua DIRECTORY"))
end

return reference
