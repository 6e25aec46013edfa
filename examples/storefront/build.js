// Bundles src/ with the official SDK into dist/shop.js, which is committed: `make run` needs no Node.
//
//   node build.js            writes it
//   node build.js --check    fails if it is not the bundle of src/ and package-lock.json; a test runs this
import { readFileSync, writeFileSync } from 'node:fs'
import { build } from 'esbuild'

const BUNDLE = new URL('dist/shop.js', import.meta.url)
const PACKAGES = ['@commercelayer/sdk', '@commercelayer/js-auth']

const { outputFiles: [bundle] } = await build({
  entryPoints: ['src/main.js'],
  absWorkingDir: new URL('.', import.meta.url).pathname,
  bundle: true,
  minify: true,
  format: 'esm',
  target: 'es2022',
  banner: { js: `/*\n${PACKAGES.map(notice).join('\n\n')}\n*/` },
  legalComments: 'none',
  write: false,
})

if (!process.argv.includes('--check')) {
  writeFileSync(BUNDLE, bundle.text)
} else if (readFileSync(BUNDLE, 'utf8') !== bundle.text) {
  console.error('examples/storefront/dist/shop.js is not the bundle of its sources: run `make storefront`.')
  process.exit(1)
}

/** Returns a package's licence, which asks for its notice in every copy. */
function notice(name) {
  const read = (file) => readFileSync(new URL(`node_modules/${name}/${file}`, import.meta.url), 'utf8').trim()
  return `This bundle contains ${name} ${JSON.parse(read('package.json')).version}:\n\n${read('LICENSE')}`
}
