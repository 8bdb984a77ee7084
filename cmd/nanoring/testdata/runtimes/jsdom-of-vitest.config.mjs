export default { test: { environment: "jsdom", setupFiles: ["./jsdom-of-vitest.mjs"] } };
