import { readFileSync } from "node:fs";
import { defineConfig } from "vitest/config";

const BUNDLED = ["preact", "@preact/signals", "@preact/signals-core"];

/** The licences of what is in the bundle, which ask to go with it. */
function licences(): string {
  const texts = BUNDLED.map(
    (name) => `${name}: ${readFileSync(`node_modules/${name}/LICENSE`, "utf-8").trim()}`,
  );
  return `/*! kfnb, built from js/. It holds:\n\n${texts.join("\n\n")}\n*/\n`;
}

export default defineConfig({
  plugins: [
    {
      name: "licences",
      generateBundle(_options, bundle) {
        for (const file of Object.values(bundle))
          if (file.type === "chunk") file.code = licences() + file.code;
      },
    },
  ],
  build: {
    // one file, and not vite's mode for libraries, which leaves the white space in
    rollupOptions: {
      input: "src/index.ts",
      preserveEntrySignatures: "strict",
      output: { format: "es", entryFileNames: "live.js" },
    },
    outDir: "../kfnb/live/static",
    emptyOutDir: false,
    modulePreload: false,
    target: "es2022",
  },
  test: { environment: "happy-dom", include: ["test/**/*.test.{ts,tsx}"], css: { include: /log\.css/ } },
});
