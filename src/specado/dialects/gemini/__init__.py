"""Google Gemini dialect: `generateContent` and `streamGenerateContent`."""
