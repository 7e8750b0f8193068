"""What stages leave behind, by name: each checkpoint is `NAME.safetensors` in the run's folder."""

AUTOENCODER = "autoencoder"
POLISHED_DECODER = "decoder"
DRAFT = "draft"
DENOISER = "denoiser"
JUDGE = "judge"
UPSCALER = "upscaler"
PREVIEW = "preview"

LATENTS_FILE = "latents.safetensors"
SCORES_FILE = "scores.json"
PROOF_FILE = "export-proof.json"
EXPORT_FOLDER = "export"
