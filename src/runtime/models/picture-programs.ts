/** Programs of pictures that the server knows by name, whatever a manifest calls the nodes that run them. */

/** Their output is a picture as a file: `picture` (bytes) and `mimeType`. */
export const writingPrograms: readonly string[] = ['write_picture', 'upscale_image']
/** Its output is the verdict on a picture: `score` and `checkedBy`. */
export const checkingProgram = 'check_picture'
/** The component that shows pictures on their way. */
export const previewComponent = 'preview_decoder'
