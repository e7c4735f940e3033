// Makes a page of each Markdown file that looks as the comment does on GitHub: its
// dialect, what its sanitizer leaves, its style, its charts.
//
//	node render.mjs light|dark closed|open OUT FILE.md...
import { readFileSync, writeFileSync } from 'node:fs'
import { basename, join } from 'node:path'
import { fileURLToPath } from 'node:url'
import rehypeRaw from 'rehype-raw'
import rehypeSanitize from 'rehype-sanitize'
import rehypeStringify from 'rehype-stringify'
import remarkGfm from 'remark-gfm'
import remarkParse from 'remark-parse'
import remarkRehype from 'remark-rehype'
import { unified } from 'unified'

const [theme, folds, out, ...files] = process.argv.slice(2)
const modules = fileURLToPath(new URL('node_modules', import.meta.url))
const css = readFileSync(join(modules, 'github-markdown-css', `github-markdown-${theme}.css`), 'utf8')
const colours = theme === 'dark' ? ['#0d1117', '#3d444d', '#151b23', '#9198a1'] : ['#ffffff', '#d1d9e0', '#f6f8fa', '#59636e']
const github = unified().use(remarkParse).use(remarkGfm).use(remarkRehype, { allowDangerousHtml: true }).use(rehypeRaw).use(rehypeSanitize).use(rehypeStringify)

for (const file of files) {
  let body = String(await github.process(readFileSync(file, 'utf8')))
  if (folds === 'open') body = body.replaceAll('<details>', '<details open>')
  body = body.replace(/<pre><code class="language-mermaid">([\s\S]*?)<\/code><\/pre>/g, '<pre class="mermaid">$1</pre>')
  writeFileSync(join(out, `${basename(file, '.md')}-${theme}-${folds}.html`), `<!doctype html><meta charset="utf-8"><title>${basename(file)}</title>
<style>${css}
body { margin: 0; padding: 16px; background: ${colours[0]}; font-family: -apple-system, "Segoe UI", "Noto Sans", Helvetica, Arial, sans-serif }
.comment { max-width: 816px; border: 1px solid ${colours[1]}; border-radius: 6px }
.comment > header { padding: 8px 16px; background: ${colours[2]}; color: ${colours[3]}; border-bottom: 1px solid ${colours[1]}; border-radius: 6px 6px 0 0; font-size: 14px }
.comment > .markdown-body { padding: 16px; font-size: 14px; border-radius: 0 0 6px 6px }
pre.mermaid { text-align: center }
</style>
<div class="comment"><header><b>github-actions</b> bot commented</header><div class="markdown-body">${body}</div></div>
<script src="file://${join(modules, 'mermaid', 'dist', 'mermaid.min.js')}"></script>
<script>mermaid.initialize({ startOnLoad: true, theme: '${theme === 'dark' ? 'dark' : 'default'}' })</script>
`)
}
