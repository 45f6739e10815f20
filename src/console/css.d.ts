/** What esbuild takes into the style sheet. */
declare module '*.css'
